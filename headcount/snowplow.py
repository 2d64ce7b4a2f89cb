r"""Reads a Snowplow enriched event (TSV) down to what Headcount needs. Pure: bytes in, a value out, or `PoisonError`.

It judges UTF-8, number of columns, time, app and contexts, in this order. On every line that snowplow-analytics-sdk
accepts, the result is what the same rules give on the SDK's output. On a line that the SDK rejects we read on as long
as the fault can't hide a level context: a player must not be lost for the fault of a column that nobody reads.

**Which context counts** is the SDK's rule: contexts are grouped by vendor, name and model (``fix_schema``: any format,
any 1-x-x), and a group in ``derived_contexts`` overwrites the same group of ``contexts``. So where ``derived_contexts``
holds level contexts, ``contexts`` is not even parsed. Level contexts of the one list that counts are judged in order
up to the first with both ids; what is malformed up to there is poison, what follows is not looked at. If none has both
ids, the first one gives the reason, a null player before a null level.

**A column mentions the level context** if the letters and digits of the context's name stand in it in a row, case
ignored, ASCII's ``\uXXXX`` escapes resolved, and separators (``- _ . /`` and backslashes) left out on both sides. A
column that the SDK refuses is poison if it mentions the level context, else it counts as empty.

**A column that doesn't mention it isn't parsed**, because it can't matter: refused, it counts as empty; accepted, it
can't hold a level context. For the schema of one consists of ASCII letters, digits and separators, and ``fix_schema``
makes the wanted key of it by changing separators and lowering letters only: without separators and case its vendor and
name are those that were set. And JSON can write these characters only as themselves, as ``\/`` or as ``\u00XX``.
"""

import json
import re
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from headcount.model import IgnoredEvent, IgnoredReason, LevelEvent, PoisonError

with warnings.catch_warnings():
    # The SDK writes '\g' and '\.' in plain strings: a warning whenever Python compiles it anew.
    warnings.filterwarnings("ignore", message=".*invalid escape sequence")
    from snowplow_analytics_sdk.event_transformer import ENRICHED_EVENT_FIELD_TYPES
    from snowplow_analytics_sdk.json_shredder import fix_schema
    from snowplow_analytics_sdk.snowplow_event_transformation_exception import SnowplowEventTransformationException

MAX_PLAYER_BYTES = 1024
MAX_LEVEL_BYTES = 511  # so that "from/to", "%" and "/" in both escaped to three bytes, fits into a sort key's 1024

_NAMES = [name for name, _ in ENRICHED_EVENT_FIELD_TYPES]
_APP_ID = _NAMES.index("app_id")
_COLLECTOR_TSTAMP = _NAMES.index("collector_tstamp")
_CONTEXTS = _NAMES.index("contexts")
_DERIVED_CONTEXTS = _NAMES.index("derived_contexts")
_HEAD = max(_APP_ID, _COLLECTOR_TSTAMP) + 1

# The calendar is fromisoformat's affair, except that newer Pythons would take 24:00:00.
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3])(?::[0-9]{2}){2}(?:\.[0-9]{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# What the SDK's way through a column raises: a key missing, a value of another type, no JSON, too deep, no Iglu URI.
_REFUSALS = (LookupError, TypeError, ValueError, RecursionError, SnowplowEventTransformationException)

_ASCII_ESCAPE = re.compile(rb"\\u00([0-7][0-9a-fA-F])")
_SEPARATORS = b"-_./\\"
_LOWER = bytes(range(256)).lower()
_MAX_CACHED_SCHEMA = 256  # characters; bounds the cache's memory, too: a schema may be as long as a record


@dataclass(frozen=True, slots=True)
class EventReader:
    """Reads enriched events; configured once, called per record.

    Attributes:
        app_ids: events of other apps are ignored; empty: all apps count.
        context_schema: ``vendor/name`` of the level context; any 1-x-x version of it counts.
        player_field: the context's field with the player's id.
        level_field: the context's field with the level's id.
    """

    app_ids: frozenset[str]
    context_schema: str
    player_field: str
    level_field: str
    _key: str = field(init=False, repr=False, compare=False)
    _mention: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive what records are searched for; ``ValueError`` if ``context_schema`` is no ``vendor/name``."""
        try:
            key = fix_schema("contexts", f"iglu:{self.context_schema}/jsonschema/1-0-0")
        except SnowplowEventTransformationException as error:
            raise ValueError(f"context_schema is no vendor/name: {self.context_schema!r}") from error
        name = self.context_schema.rpartition("/")[2]
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "_mention", name.encode().translate(_LOWER, _SEPARATORS))

    def read(self, data: bytes) -> LevelEvent | IgnoredEvent:
        """Read one record, a line of TSV as Enrich wrote it.

        Returns:
            The level event, or why this event is none.

        Raises:
            PoisonError: what we need can't be read; ``reason`` is one of ``empty``, ``bad_utf8``, ``column_count``,
                ``bad_timestamp``, ``bad_context``, ``bad_id``. The message quotes nothing of the record.
        """
        if not data:
            raise PoisonError("empty", "the record has no bytes")
        try:
            line = data.decode()
        except UnicodeDecodeError as error:
            raise PoisonError("bad_utf8", f"byte {error.start} is no UTF-8: {error.reason}") from None
        count = line.count("\t") + 1
        if count != len(_NAMES):
            raise PoisonError("column_count", f"{count} columns instead of {len(_NAMES)}")
        # Cut from both ends only as far as needed: cutting out all 131 columns takes as long as all the rest.
        head = line.split("\t", _HEAD)
        at = _milliseconds(head[_COLLECTOR_TSTAMP])
        if self.app_ids and head[_APP_ID] not in self.app_ids:
            return IgnoredEvent(at, IgnoredReason.OTHER_APP)
        derived = self._level_contexts(line.rsplit("\t", len(_NAMES) - _DERIVED_CONTEXTS)[1])
        return self._judge(derived or self._level_contexts(line.split("\t", _CONTEXTS + 1)[_CONTEXTS]), at)

    def _level_contexts(self, column: str) -> list[Any]:
        """The ``data`` of a column's level contexts, in order; see the module's text for what is left unparsed."""
        if not column:
            return []
        text = column.encode()
        if b"\\u" in text:
            text = _ASCII_ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), text)
        if self._mention not in text.translate(_LOWER, _SEPARATORS):
            return []
        try:
            pairs = [(_key_of(context["schema"]), context["data"]) for context in _parse(column)["data"]]
        except _REFUSALS as error:  # its message may quote the record: only its type goes on
            raise PoisonError("bad_context", f"a context column is malformed: {type(error).__name__}") from None
        return [inner for key, inner in pairs if key == self._key]

    def _judge(self, contexts: list[Any], at: int) -> LevelEvent | IgnoredEvent:
        """Choose among the level contexts of one event."""
        reason = IgnoredReason.NO_CONTEXT
        for context in contexts:
            if not isinstance(context, dict):
                raise PoisonError("bad_context", f"a level context is no object but a {type(context).__name__}")
            player = _identifier(context.get(self.player_field), self.player_field, MAX_PLAYER_BYTES)
            level = _identifier(context.get(self.level_field), self.level_field, MAX_LEVEL_BYTES, escaped="%/")
            if player and level:
                return LevelEvent(player, level, at)
            if reason is IgnoredReason.NO_CONTEXT:
                reason = IgnoredReason.NULL_LEVEL if player else IgnoredReason.NULL_PLAYER
        return IgnoredEvent(at, reason)


def _milliseconds(text: str) -> int:
    """A timestamp column in ms since the epoch; finer fractions are cut off."""
    try:
        if _TIMESTAMP.fullmatch(text):
            return (datetime.fromisoformat(f"{text}+00:00") - _EPOCH) // _MILLISECOND
    except ValueError:
        pass  # no day of the calendar, or no time of the day
    raise PoisonError("bad_timestamp", f"collector_tstamp ({len(text)} characters) is no YYYY-MM-DD HH:MM:SS[.f]")


def _parse(column: str) -> Any:
    """Parse JSON by the SDK's verdict, at orjson's speed.

    What orjson refuses (NaN, huge numbers, lone surrogates, over 1024 levels), the SDK's parser may accept. What only
    orjson accepts is nested deeper than the interpreter's stack lets ``json`` go, which is no property of the data.
    """
    try:
        return orjson.loads(column)
    except ValueError:
        return json.loads(column)


@lru_cache(maxsize=1024)
def _cached_key(schema: str) -> str:
    return str(fix_schema("contexts", schema))


def _key_of(schema: str) -> str:
    """The key under which the SDK puts contexts of this schema; raises whatever the SDK raises."""
    return _cached_key(schema) if len(schema) <= _MAX_CACHED_SCHEMA else str(fix_schema("contexts", schema))


def _identifier(value: object, name: str, limit: int, escaped: str = "") -> str | None:
    """An id; None or ``""`` if there is none, as a key can't be empty. ``escaped`` characters take three bytes."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise PoisonError("bad_id", f"{name} is no string but a {type(value).__name__}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise PoisonError("bad_id", f"{name} has a lone surrogate: no UTF-8 can hold it") from None
    for character in escaped:
        size += 2 * value.count(character)
    if size > limit:
        raise PoisonError("bad_id", f"{name} takes {size} bytes; {limit} fit")
    return value
