"""The description of `/api/ops`, where operators have it served."""

from __future__ import annotations

from typing import Any

_FIGURE = {"type": ["number", "null"], "minimum": 0, "description": "null: there are no events, or not yet."}
_NUMBER = {"type": "number", "minimum": 0}


def _of_both(description: str) -> dict[str, Any]:
    both = {"headcount": _FIGURE, "tutorial": _FIGURE}
    return {"type": "object", "description": description, "properties": both, "required": list(both)}


def _list_of(**properties: Any) -> dict[str, Any]:
    items = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "array", "items": items}


PROPERTIES: dict[str, Any] = {
    "since": {"type": "integer", "description": "When measuring began, an hour ago at most: ms since the epoch."},
    "seconds": {**_NUMBER, "description": "The rates are over the last so many."},
    "eventsPerSecond": _NUMBER,
    "writeUnitsPerEvent": _of_both("Measured; of the tutorial's design reckoned, for the game as it is now."),
    "usdPerMillionEvents": _of_both("What these write units cost."),
    "wholeBillPerMillionEvents": _of_both("USD for all that AWS bills, reckoned as `python -m headcount cost` does."),
    "prices": {
        "type": "object",
        "properties": {"region": {"type": "string"}, "date": {"type": "string", "format": "date"}},
        "required": ["region", "date"],
    },
    "services": _list_of(
        service={"type": "string"},
        writeUnitsPerSecond=_NUMBER,
        writeUnitsPerEvent=_FIGURE,
        usdPerMillionEvents=_FIGURE,
    ),
    "shards": _list_of(
        service={"type": "string"},
        shard={"type": "string"},
        lagSeconds={**_FIGURE, "description": "null: it has not said yet how far it is."},
        movedSeconds={**_NUMBER, "description": "Since its progress was last written."},
    ),
    "minutes": _list_of(
        start={"type": "integer", "description": "Epoch s."}, eventsPerSecond=_NUMBER, writeUnitsPerEvent=_FIGURE
    ),
}
