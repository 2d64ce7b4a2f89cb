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

**A column that said something is remembered** to the byte, some thousand of them: a player's events in a level mostly
repeat theirs. What is poison or has no level context is judged each time.
"""

import json
import re
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from headcount.event_time import milliseconds
from headcount.model import IgnoredEvent, IgnoredReason, LevelEvent, PoisonError, PoisonReason

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
_TAIL = len(_NAMES) - _DERIVED_CONTEXTS
_TAB = ord("\t")

# What the SDK's way through a column raises: a key missing, a value of another type, no JSON, too deep, no Iglu URI.
_REFUSALS = (LookupError, TypeError, ValueError, RecursionError, SnowplowEventTransformationException)

_ASCII_ESCAPE = re.compile(rb"\\u00([0-7][0-9a-fA-F])")
_SEPARATORS = b"-_./\\"
_LOWER = bytes(range(256)).lower()
_MAX_CACHED_SCHEMA = 256  # characters; bounds the cache's memory, too: a schema may be as long as a record
_SHORT = 2048  # bytes of a column; of longer ones nothing is remembered, so that memory is bounded here, too
_REMEMBERED = 4096  # columns
_PLAIN_ID = min(MAX_PLAYER_BYTES, MAX_LEVEL_BYTES // 3)  # ASCII that fits, however it is escaped

_NO_CONTEXT = IgnoredReason.NO_CONTEXT  # an enum's member takes longer to look up

# What a column's level contexts say: player and level, or why there is no such pair.
_Said = tuple[str, str] | IgnoredReason


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
    _letters: bytes = field(init=False, repr=False, compare=False)
    _apps: frozenset[bytes] = field(init=False, repr=False, compare=False)
    _remembered: dict[bytes, _Said] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive what records are searched for; ``ValueError`` if ``context_schema`` is no ``vendor/name``."""
        try:
            key = fix_schema("contexts", f"iglu:{self.context_schema}/jsonschema/1-0-0")
        except SnowplowEventTransformationException as error:
            raise ValueError(f"context_schema is no vendor/name: {self.context_schema!r}") from error
        name = self.context_schema.rpartition("/")[2]
        object.__setattr__(self, "_key", key)
        mention = name.encode().translate(_LOWER, _SEPARATORS)
        object.__setattr__(self, "_mention", mention)
        object.__setattr__(self, "_letters", bytes(byte if byte in mention else 0 for byte in _LOWER))
        # A setting that is no UTF-8 equals no column of a record, as it should.
        object.__setattr__(self, "_apps", frozenset(app.encode(errors="surrogatepass") for app in self.app_ids))

    def read(self, data: bytes) -> LevelEvent | IgnoredEvent:
        """Read one record, a line of TSV as Enrich wrote it.

        Returns:
            The level event, or why this event is none.

        Raises:
            PoisonError: what we need can't be read. The message quotes nothing of the record.
        """
        if not data:
            raise PoisonError(PoisonReason.EMPTY, "the record has no bytes")
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError as error:
                raise PoisonError(PoisonReason.BAD_UTF8, f"byte {error.start} is no UTF-8: {error.reason}") from None
        # Bytes all the way, and cut from both ends only as far as needed: 131 columns would cost as much as the rest.
        # The first brace mostly opens ``contexts``, a long column: counting tabs around it is quicker than in it.
        cells = data.rsplit(b"\t", _TAIL)
        front = cells[0]
        brace = front.find(b"{")
        if brace == -1:
            brace = 0  # any place does: no tab lies between it and its column's end
        end = front.find(b"\t", brace)
        before = front.count(b"\t", 0, brace)
        if before + front.count(b"\t", end) != _DERIVED_CONTEXTS - 1 or len(cells) != _TAIL + 1:
            count = data.count(b"\t") + 1
            raise PoisonError(PoisonReason.COLUMN_COUNT, f"{count} columns instead of {len(_NAMES)}")
        head = front.split(b"\t", _HEAD)
        at = milliseconds(head[_COLLECTOR_TSTAMP])
        if self._apps and head[_APP_ID] not in self._apps:
            return IgnoredEvent(at, IgnoredReason.OTHER_APP)
        said = self._said(cells[1])
        if said is None:
            usual = before == _CONTEXTS and front[brace - 1] == _TAB
            said = self._said(front[brace:end] if usual else front.split(b"\t", _CONTEXTS + 1)[_CONTEXTS])
        if said is None:
            return IgnoredEvent(at, _NO_CONTEXT)
        if isinstance(said, tuple):
            return LevelEvent(said[0], said[1], at)
        return IgnoredEvent(at, said)

    def _said(self, column: bytes) -> _Said | None:
        """What a column's level contexts say; None if it has none, or needn't be parsed (see the module's text)."""
        if not column:
            return None
        said = self._remembered.get(column)
        if said is not None:
            return said
        text = _ASCII_ESCAPE.sub(_unescaped, column) if b"\\" in column else column
        if self._mention not in text.translate(self._letters, _SEPARATORS):
            return None
        said = self._judge(column)
        if said is not None and len(column) <= _SHORT:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[column] = said
        return said

    def _judge(self, column: bytes) -> _Said | None:
        """Parse a column, and choose among its level contexts."""
        key_of = _cached_key if len(column) <= _SHORT else _key_of
        try:
            pairs = [(key_of(context["schema"]), context["data"]) for context in _parse(column)["data"]]
        except _REFUSALS as error:  # its message may quote the record: only its type goes on
            raise PoisonError(
                PoisonReason.BAD_CONTEXT, f"a context column is malformed: {type(error).__name__}"
            ) from None
        reason = None
        for key, context in pairs:
            if key != self._key:
                continue
            if not isinstance(context, dict):
                raise PoisonError(
                    PoisonReason.BAD_CONTEXT, f"a level context is no object but a {type(context).__name__}"
                )
            player = _identifier(context.get(self.player_field), self.player_field, MAX_PLAYER_BYTES)
            level = _identifier(context.get(self.level_field), self.level_field, MAX_LEVEL_BYTES, escaped="%/")
            if player and level:
                return player, level
            reason = reason or (IgnoredReason.NULL_LEVEL if player else IgnoredReason.NULL_PLAYER)
        return reason


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())


def _parse(column: bytes) -> Any:
    """Parse JSON by the SDK's verdict, at orjson's speed.

    What orjson refuses (NaN, huge numbers, lone surrogates, over 1024 levels), the SDK's parser may accept. What only
    orjson accepts is nested deeper than the interpreter's stack lets ``json`` go, which is no property of the data.
    """
    try:
        return orjson.loads(column)
    except ValueError:
        return json.loads(column.decode())  # given bytes, it would guess at an encoding


@lru_cache(maxsize=1024)
def _cached_key(schema: str) -> str:
    return str(fix_schema("contexts", schema))


def _key_of(schema: str) -> str:
    """The key under which the SDK puts contexts of this schema, a long one too; raises whatever the SDK raises."""
    return _cached_key(schema) if len(schema) <= _MAX_CACHED_SCHEMA else str(fix_schema("contexts", schema))


def _identifier(value: object, name: str, limit: int, escaped: str = "") -> str | None:
    """An id; None or ``""`` if there is none, as a key can't be empty. ``escaped`` characters take three bytes."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= _PLAIN_ID and value.isascii():
        return value  # fits anyhow
    if not isinstance(value, str):
        raise PoisonError(PoisonReason.BAD_ID, f"{name} is no string but a {type(value).__name__}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise PoisonError(PoisonReason.BAD_ID, f"{name} has a lone surrogate: no UTF-8 can hold it") from None
    for character in escaped:
        size += 2 * value.count(character)
    if size > limit:
        raise PoisonError(PoisonReason.BAD_ID, f"{name} takes {size} bytes; {limit} fit")
    return value
