"""Enriched events as Snowplow writes them to Kinesis: real rows (templates.md) with ids, times and level set anew.

Also what such an event names: the kinds there are, and the levels of the campaign.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import count, islice
from random import Random

import orjson

APP_ID = "codecombat"
OTHER_APP_ID = "codecombat-classroom"
LEVEL_SCHEMA = "iglu:com.codecombat/level_context/jsonschema/1-0-0"
CONTEXTS_SCHEMA = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"

# Real pipelines put more than one context into derived_contexts; a reader must pick ours out of several.
_USER_AGENT_CONTEXT = {
    "schema": "iglu:com.snowplowanalytics.snowplow/ua_parser_context/jsonschema/1-0-0",
    "data": {"useragentFamily": "Chrome", "useragentMajor": "130", "osFamily": "Windows", "deviceFamily": "Other"},
}

_WORLDS = ("dungeon", "forest", "desert", "mountain", "glacier")
_SLUGS = """
    dungeons-of-kithgard gems-in-the-deep shadow-guard enemy-mine true-names fire-dancing haunted-kithmaze
    the-second-kithmaze dread-door cupboards-of-kithgard the-final-kithmaze kithgard-gates defense-of-plainswood
    winding-trail patrol-buster endangered-burl village-guard thornbush-farm back-to-back woodland-cleaver
"""

# Positions in ENRICHED_EVENT_FIELD_TYPES of snowplow-analytics-sdk.
_APP_ID = 0
_ETL_TSTAMP = 2
_COLLECTOR_TSTAMP = 3
_DVCE_CREATED_TSTAMP = 4
_EVENT_ID = 6
_DOMAIN_USERID = 15
_DVCE_SENT_TSTAMP = 119
_DERIVED_CONTEXTS = 122
_DERIVED_TSTAMP = 124

_ENRICH_MS = 40
_NETWORK_MS = 25
_DEVICE_QUEUE_MS = 60


class Kind(StrEnum):
    """What a record is to Headcount."""

    LEVEL = "level"
    NO_CONTEXT = "no_context"
    NULL_PLAYER = "null_player"
    NULL_LEVEL = "null_level"
    OTHER_APP = "other_app"


@dataclass(frozen=True, slots=True)
class Event:
    """One record for Kinesis, and what is in it; it is to be delivered `delay_ms` after its making."""

    player: str | None
    level: str | None
    at: int
    kind: Kind
    line: bytes
    partition_key: str
    app_id: str
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class LevelContext:
    """The data of a `com.codecombat/level_context`; every field may be null."""

    user_id: str | None
    level_slug: str | None
    level_name: str | None
    world_name: str | None
    level_session: str | None


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the campaign; `effort` is how long it takes, 1 being usual."""

    slug: str
    name: str
    world: str
    effort: float


def campaign(length: int, rng: Random) -> tuple[Level, ...]:
    """The levels in the order of play, each slug once; beyond the known ones they come round again, numbered."""
    known = _SLUGS.split()
    laps = ("" if lap == 1 else f"-{lap}" for lap in count(1))
    slugs = islice((slug + lap for lap in laps for slug in known), length)
    return tuple(
        Level(slug, slug.replace("-", " ").title(), _WORLDS[i * len(_WORLDS) // length], rng.lognormvariate(0, 0.5))
        for i, slug in enumerate(slugs)
    )


@cache
def templates() -> tuple[tuple[bytes, ...], ...]:
    """The template rows, split into their columns."""
    rows = files("headcount.demo").joinpath("templates.tsv").read_bytes().splitlines()
    return tuple(tuple(row.split(b"\t")) for row in rows)


def make_line(
    template: int, *, app_id: str, at: int, event_id: str, domain_userid: str, context: LevelContext | None
) -> bytes:
    """One enriched event, without a line end.

    Args:
        template: Which of `templates()`; any number, taken modulo their count.
        app_id: The application the event comes from.
        at: `collector_tstamp`, in ms since the epoch; the other times follow from it.
        event_id: A UUID.
        domain_userid: The browser's UUID.
        context: The level context, None for an event that has none.
    """
    rows = templates()
    columns = list(rows[template % len(rows)])
    columns[_APP_ID] = app_id.encode()
    columns[_EVENT_ID] = event_id.encode()
    columns[_DOMAIN_USERID] = domain_userid.encode()
    columns[_COLLECTOR_TSTAMP] = _tstamp(at)
    columns[_ETL_TSTAMP] = _tstamp(at + _ENRICH_MS)
    columns[_DVCE_SENT_TSTAMP] = columns[_DERIVED_TSTAMP] = _tstamp(at - _NETWORK_MS)
    columns[_DVCE_CREATED_TSTAMP] = _tstamp(at - _NETWORK_MS - _DEVICE_QUEUE_MS)
    columns[_DERIVED_CONTEXTS] = b"" if context is None else _derived_contexts(context)
    return b"\t".join(columns)


def _derived_contexts(context: LevelContext) -> bytes:
    level = {"schema": LEVEL_SCHEMA, "data": context}
    return orjson.dumps({"schema": CONTEXTS_SCHEMA, "data": [_USER_AGENT_CONTEXT, level]})


def _tstamp(ms: int) -> bytes:
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S}.{rest:03d}".encode()
