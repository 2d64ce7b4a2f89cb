"""The API's description in OpenAPI 3.1, as `/api/openapi.json` serves it. A test holds routes and answers to it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from game_map.openapi_ops import PROPERTIES

MOST_MINUTES = 60
MOST_HISTORY_MINUTES = 10_080  # of one level

_HEAD = {
    "version": {"type": "integer", "description": "When the tables were read: ms since the epoch."},
    "asOf": {
        "type": ["integer", "null"],
        "description": "Events that had arrived by then are counted: ms since the epoch. null: not known yet.",
    },
    "lagSeconds": {"type": ["number", "null"], "minimum": 0, "description": "version minus asOf, in seconds."},
}
_PLAYERS = {"type": ["integer", "null"], "minimum": 0, "description": "null: fewer than may be told."}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"id": {"type": "string"}, "players": _PLAYERS}
_MINUTES = {
    "name": "minutes",
    "in": "query",
    "description": "So many minutes, the one under way among them.",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST_MINUTES, "default": 5},
}
_AVERAGES = {
    "type": "array",
    "items": {"type": ["number", "null"], "minimum": 0},
    "description": (
        "One for each minute, oldest first, the newest whole one last. 0: nobody was there. null: nothing was recorded "
        "in that minute, or fewer than may be told were there at some time of it."
    ),
}
_SPAN = {
    "minutes": {"type": "integer"},
    "start": {"type": "integer", "description": "Start of the first minute: seconds since the epoch."},
}


def _object(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_TAG = {"ETag": {"schema": {"type": "string"}}, "Cache-Control": {"schema": {"type": "string"}}}
_RETRY = {"Retry-After": {"schema": {"type": "integer"}}}


def _answers(name: str, *refusals: int) -> dict[str, Any]:
    told = {
        400: "A parameter is not valid.",
        404: "LevelState has no such level.",
    }
    json = {"application/json": {"schema": _ref(name)}}
    error = {"application/json": {"schema": _ref("Error")}}
    return {
        "200": {"description": "As it is now.", "headers": _TAG, "content": json},
        "304": {"description": "As the client knows it."},
        **{str(code): {"description": told[code], "content": error} for code in refusals},
        "414": {"description": "The URL is too long.", "content": error},
        "429": {"description": "Too many requests from this address.", "headers": _RETRY, "content": error},
        "431": {"description": "The headers are too long.", "content": error},
        "503": {"description": "The tables have not been read yet, or can't be.", "headers": _RETRY, "content": error},
    }


def _linked(answers: dict[str, Any], operation: str, **parameters: str) -> dict[str, Any]:
    """Says where an answer has what another operation asks for: JSON pointers by parameter."""
    wanted = {f"path.{name}": f"$response.body#{pointer}" for name, pointer in parameters.items()}
    link = {"operationId": operation, "parameters": wanted}
    return {**answers, "200": {**answers["200"], "links": {operation: link}}}


_STREAM = {
    "200": {
        "description": (
            "Server-sent events. `levels`: all of them, as /api/levels has them; `changes`: those whose count changed "
            "since the event before, 0 where a level is empty now. The id is the version; a client that comes back "
            "with Last-Event-ID within two minutes is told the difference."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    "429": {**_answers("Levels")["429"], "description": "Too many requests from this address, or streams to it."},
    "503": {**_answers("Levels")["503"], "description": "So many streams are open that one more is too many."},
}

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Headcount",
        "version": version("headcount"),
        "description": "How many players are in each level of a game now, and how they moved.",
    },
    "paths": {
        "/api/levels": {
            "get": {
                "operationId": "levels",
                "summary": "Levels with players, fullest first",
                "responses": _linked(_answers("Levels"), "level", id="/levels/0/id"),
            }
        },
        "/api/levels/{id}": {
            "get": {
                "operationId": "level",
                "summary": "One level, with its moves in and out",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
                    _MINUTES,
                ],
                "responses": _answers("Level", 400, 404),
            }
        },
        "/api/transitions": {
            "get": {
                "operationId": "transitions",
                "summary": "Moves of the last minutes, most frequent first",
                "parameters": [_MINUTES],
                "responses": _answers("Transitions", 400),
            }
        },
        "/api/history": {
            "get": {
                "operationId": "history",
                "summary": "How many players there were, on average, in each minute",
                "description": "Of one level, or of all that had players in that time. It changes once a minute.",
                "parameters": [
                    {
                        "name": "level",
                        "in": "query",
                        "description": "A level's id; absent: all levels, and 60 minutes at most.",
                        "schema": {"type": "string"},
                    },
                    {
                        "name": "minutes",
                        "in": "query",
                        "description": "So many whole minutes; the one under way is not among them.",
                        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_HISTORY_MINUTES, "default": 60},
                    },
                ],
                "responses": _answers("History", 400, 404),
            }
        },
        "/api/layout": {
            "get": {
                "summary": "Where levels shall lie on the map, as far as somebody has said so",
                "responses": {
                    "200": {
                        "description": "By level.",
                        "headers": {"Cache-Control": _TAG["Cache-Control"]},
                        "content": {"application/json": {"schema": _ref("Layout")}},
                    },
                    **{code: _answers("Layout")[code] for code in ("414", "429", "431")},
                },
            }
        },
        "/api/stream": {
            "get": {
                "operationId": "stream",
                "summary": "Changes as they come",
                "parameters": [{"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}}],
                "responses": _STREAM,
            }
        },
    },
    "components": {
        "schemas": {
            "Count": _object(_COUNT),
            "Move": _object(
                {
                    "from": {"type": "string", "description": "Absent: entered the game."},
                    "to": {"type": "string", "description": "Absent: left it."},
                    "count": {"type": "integer", "minimum": 1},
                },
                "from",
                "to",
            ),
            "Levels": _object({**_HEAD, "total": {"type": "integer", "minimum": 0}, "levels": _list_of(_ref("Count"))}),
            "Level": _object(
                {
                    **_HEAD,
                    **_COUNT,
                    "minutes": {"type": "integer"},
                    "in": _list_of(_ref("Move")),
                    "out": _list_of(_ref("Move")),
                }
            ),
            "Transitions": _object({**_HEAD, "minutes": {"type": "integer"}, "transitions": _list_of(_ref("Move"))}),
            "History": {"oneOf": [_ref("LevelHistory"), _ref("WholeHistory")]},
            "LevelHistory": _object({**_HEAD, "level": {"type": "string"}, **_SPAN, "averages": _AVERAGES}),
            "WholeHistory": _object(
                {
                    **_HEAD,
                    **_SPAN,
                    "total": {**_AVERAGES, "description": "The sum of what is told of the levels; null: not recorded."},
                    "levels": _list_of(_object({"id": {"type": "string"}, "averages": _AVERAGES})),
                }
            ),
            "Layout": {
                "type": "object",
                "additionalProperties": _object({"x": _SHARE, "y": _SHARE, "name": {"type": "string"}}, "name"),
            },
            "Error": _object({"error": {"type": "string"}}),
        }
    },
}


def described(*, ops: bool) -> dict[str, Any]:
    """The description of what is served; ``ops``: of `/api/ops`, too."""
    if not ops:
        return DESCRIPTION
    answers = {code: answer for code, answer in _answers("Ops").items() if code != "304"}
    answers["200"] = {name: what for name, what in answers["200"].items() if name != "headers"}
    told = {"operationId": "ops", "summary": "What the writes cost, for operators", "responses": answers}
    schemas = {**DESCRIPTION["components"]["schemas"], "Ops": _object({**_HEAD, **PROPERTIES})}
    paths = {**DESCRIPTION["paths"], "/api/ops": {"get": told}}
    return {**DESCRIPTION, "paths": paths, "components": {"schemas": schemas}}
