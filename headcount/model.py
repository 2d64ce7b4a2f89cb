"""The frozen values that travel through the house: what was read, what was decided, what stands in a table.

Times are milliseconds since the epoch (UTC) unless a name says otherwise; ids are non-empty strings.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

_SEQUENCE_WIDTH = 64  # Kinesis' sequence numbers have up to 56 digits, DynamoDB Streams' up to 40


class Outcome(StrEnum):
    """How one record ends; exactly one of these per record (invariant I5)."""

    APPLIED = "applied"
    STALE = "stale"
    IGNORED = "ignored"
    LATE = "late"
    DEAD_LETTERED = "dead_lettered"


class IgnoredReason(StrEnum):
    """Why a well-formed event is no level event."""

    NO_CONTEXT = "no_context"
    NULL_PLAYER = "null_player"
    NULL_LEVEL = "null_level"
    OTHER_APP = "other_app"


class LevelEvent(NamedTuple):  # one per record: a frozen dataclass takes twice as long to make
    """An enriched event whose level context has both ids: ``player`` was in ``level`` at ``at``."""

    player: str
    level: str
    at: int


class IgnoredEvent(NamedTuple):
    """A well-formed event without a usable level context; its time still moves the watermark."""

    at: int
    reason: IgnoredReason


class PoisonReason(StrEnum):
    """What is wrong with a record that can't be read; a metric's labels."""

    EMPTY = "empty"
    BAD_UTF8 = "bad_utf8"
    COLUMN_COUNT = "column_count"
    BAD_TIMESTAMP = "bad_timestamp"
    BAD_CONTEXT = "bad_context"
    BAD_ID = "bad_id"


make_named = tuple.__new__  # what a named tuple's own __new__, which is Python's, takes three times as long for


class PoisonError(ValueError):
    """What we need can't be read from this record. The message says more than ``reason``."""

    def __init__(self, reason: PoisonReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PlayerRow:
    """A player's row in PlayerState without its key: the greatest event applied so far."""

    level: str
    at: int


@dataclass(frozen=True, slots=True)
class PlayerChange:
    """What one record of PlayerState's stream says: the row before and after (None: no row)."""

    before: PlayerRow | None
    after: PlayerRow | None


@dataclass(frozen=True, slots=True)
class Transition:
    """A move between levels in one minute; ``source`` None: entered the game, ``target`` None: left it."""

    period: int  # the minute's start, seconds since the epoch
    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class LevelCount:
    """A level's row in LevelState; ``entered`` and ``left`` are of all time."""

    players: int
    entered: int
    left: int


class Average(NamedTuple):  # thousands a minute
    """Players of a level in one minute: on average, by time; ``least``: the smallest number above 0 that was seen."""

    players: float
    least: int


class Position(NamedTuple):
    """A record's place in its shard: its sequence number, and its place in an aggregated record (0: not aggregated).

    A tuple, as `Record` is: of each thousand of them are made and compared a second.
    """

    sequence: int
    sub: int = 0

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position that `str` wrote, or a plain sequence number."""
        sequence, _, sub = text.partition(".")
        return cls(int(sequence), int(sub or 0))

    def __str__(self) -> str:
        """Padded, so that the order of the texts is the order of the positions."""
        return f"{self.sequence:0{_SEQUENCE_WIDTH}}" + (f".{self.sub:010}" if self.sub else "")


class Record(NamedTuple):
    """One record of a shard as the KCL hands it over; ``arrived_at``: when the stream took it (ms)."""

    position: Position
    sequence_number: str
    data: bytes
    arrived_at: int


class PoisonCount(NamedTuple):
    """How much poison a shard had lately, as of some record: what the limits of poison go by (rule 4).

    ``run``: poison records in a row; ``records`` and of them ``poison``: of the ``minute`` of arrival (of the epoch).
    """

    run: int = 0
    minute: int = 0
    records: int = 0
    poison: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """A shard's row in StreamProgress, as far as it is known (see ``semantics.md``, Tables).

    ``watermark`` and ``settled`` are event times; ``arrived_at`` is when the stream took the newest record read,
    ``seen_at`` a time before which everything that had arrived is read and its changes written, ``caught_up_at`` the
    same with renewals, ``updated_at`` the row's last write: these four are wall clock.
    ``expires_at`` (s) is set only together with ``ended``. ``poison`` is as of ``position``, as the tallies are.
    ``units``: write units that the shard's workers have used, as far as they could say; no rule goes by it.
    """

    position: Position | None = None
    watermark: int | None = None
    settled: int | None = None
    tallies: dict[str, int] = field(default_factory=dict)
    arrived_at: int | None = None
    caught_up_at: int | None = None
    seen_at: int | None = None
    updated_at: int = 0
    ended: bool = False
    expires_at: int | None = None
    poison: PoisonCount | None = None
    units: int = 0


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The row ``pruner/cutoff``.

    ``cutoff``: players last seen before it have left; ``stream_time``: how far the stream's event time had come at the
    pruner's last pass; ``completed``: the cutoff of the last pass that went through; ``held_back``: why it waits;
    ``units``: write units that all pruners have used, as far as they could say.
    ``read_at``: when DynamoDB answered, by its own clock (ms; it tells whole seconds); None: it did not say.
    """

    cutoff: int | None = None
    stream_time: int | None = None
    completed: int | None = None
    updated_at: int = 0
    held_back: str = ""
    units: int = 0
    read_at: int | None = field(default=None, compare=False)
