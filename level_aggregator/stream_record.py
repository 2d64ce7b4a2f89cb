"""A record of PlayerState's stream, as the adapter hands it over (JSON), read as a change of a row (pure)."""

from typing import Any

import orjson

from headcount.model import PlayerChange, PlayerRow


def read_change(data: bytes) -> PlayerChange:
    """The row before and after. An absent image is missing or, through the adapter, an empty object.

    Raises `ValueError`, `KeyError` or `TypeError` if it is no record of PlayerState: nothing but DynamoDB writes to
    this stream, so that is an error of the set-up, not of a record.
    """
    change = orjson.loads(data)["dynamodb"]
    return PlayerChange(_row(change.get("OldImage")), _row(change.get("NewImage")))


def _row(image: dict[str, Any] | None) -> PlayerRow | None:
    return PlayerRow(image["levelId"]["S"], int(image["lastUpdated"]["N"])) if image else None
