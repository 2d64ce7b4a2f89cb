"""Lines as Enrich writes them, good ones and broken ones."""

import orjson

from headcount.demo.tsv import APP_ID, CONTEXTS_SCHEMA, LEVEL_SCHEMA, LevelContext, make_line

UUID = "5a3b6a39-3c3e-4d41-9b6e-5a0b6a393c3e"
MOST_BYTES = 1_048_576  # of one record
_COLLECTOR_TSTAMP, _PAGE_TITLE, _CONTEXTS, _DERIVED_CONTEXTS = 3, 30, 52, 122
_IDS = {"user_id": "pat", "level_slug": "nowhere"}


def level_event(player: str | None, level: str | None, at: int, *, app_id: str = APP_ID) -> bytes:
    """An event with a level context."""
    context = LevelContext(player, level, None, None, None)
    return make_line(0, app_id=app_id, at=at, event_id=UUID, domain_userid=UUID, context=context)


def other_event(at: int) -> bytes:
    """An event without one."""
    return make_line(0, app_id=APP_ID, at=at, event_id=UUID, domain_userid=UUID, context=None)


def longest(line: bytes) -> bytes:
    """The line with a page title that makes it as long as a record may be."""
    title = b"x" * (MOST_BYTES - len(_with(line, _PAGE_TITLE, b"")))
    return _with(line, _PAGE_TITLE, title)


def poisons(at: int) -> list[tuple[str, bytes]]:
    """Records that can't be read, each with the reason why."""
    good = level_event("pat", "nowhere", at)
    in_contexts = _with(_with(good, _CONTEXTS, _contexts("text")), _DERIVED_CONTEXTS, b"")
    no_list = orjson.dumps({"schema": CONTEXTS_SCHEMA, "data": {"schema": LEVEL_SCHEMA, "data": _IDS}})
    return [
        ("empty", b""),
        ("bad_utf8", good.replace(b"nowhere", b"now\xffere")),
        ("bad_utf8", good[:-1] + b"\xc3"),
        ("column_count", b"no event at all"),
        ("column_count", good + b"\t"),
        ("column_count", good.rpartition(b"\t")[0]),
        ("column_count", b"\x00" * MOST_BYTES),
        ("bad_timestamp", _with(good, _COLLECTOR_TSTAMP, b"")),
        ("bad_timestamp", _with(good, _COLLECTOR_TSTAMP, b"yesterday")),
        ("bad_timestamp", _with(good, _COLLECTOR_TSTAMP, b"2026-02-30 12:00:00.000")),
        ("bad_context", _with(good, _DERIVED_CONTEXTS, _contexts(_IDS)[:-3])),
        ("bad_context", _with(good, _DERIVED_CONTEXTS, b"com.codecombat/level_context")),
        ("bad_context", _with(good, _DERIVED_CONTEXTS, no_list)),
        ("bad_context", _with(good, _DERIVED_CONTEXTS, _contexts(["pat", "nowhere"]))),
        ("bad_context", in_contexts),
        ("bad_id", _with(good, _DERIVED_CONTEXTS, _contexts(_IDS | {"user_id": 7}))),
        ("bad_id", _with(good, _DERIVED_CONTEXTS, _contexts(_IDS | {"level_slug": 7.5}))),
        ("bad_id", _with(good, _DERIVED_CONTEXTS, _contexts(_IDS | {"user_id": "p" * 1025}))),
        ("bad_id", _with(longest(good), _DERIVED_CONTEXTS, _contexts(_IDS | {"user_id": True}))),
    ]


def broken_context(at: int, *, app_id: str) -> bytes:
    """A context column that is no JSON, in an event of some app."""
    return _with(level_event("pat", "nowhere", at, app_id=app_id), _DERIVED_CONTEXTS, b"level_context {")


def _contexts(data: object) -> bytes:
    return orjson.dumps({"schema": CONTEXTS_SCHEMA, "data": [{"schema": LEVEL_SCHEMA, "data": data}]})


def _with(line: bytes, column: int, value: bytes) -> bytes:
    columns = line.split(b"\t")
    columns[column] = value
    return b"\t".join(columns)
