"""Every rule of what Headcount computes, on one page: pure, no clock, no I/O.

Numbers in brackets are the rules of ``docs/semantics.md``. Times are ms since the epoch, event time unless said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from zlib import crc32

from headcount.model import LevelEvent, PlayerChange, PlayerRow, Progress, Transition

CLOCK_SKEW_MS = 5_000  # [5] an event may be stamped so much later than it arrived
BUCKETS = 8  # [tables] partitions per minute of Transitions
MINUTE_MS = 60_000


# --- Order [1, 2] ----------------------------------------------------------------------------------------------------


class Decision(Enum):
    """What an event means against the row that its player is known to have."""

    STALE = auto()
    CHANGE = auto()
    RENEWAL = auto()


def rank(event: LevelEvent | PlayerRow) -> tuple[int, str]:
    """[1] PlayerState holds the event that is greatest by this: any order of arrival gives the same row."""
    return event.at, event.level


def decide(row: PlayerRow | None, event: LevelEvent) -> Decision:
    """[1, 2] ``row``: what was last seen or written of the player (None: nothing)."""
    if row is None:
        return Decision.CHANGE
    if rank(event) <= rank(row):
        return Decision.STALE
    return Decision.RENEWAL if event.level == row.level else Decision.CHANGE


# --- Clock [5, 6] ----------------------------------------------------------------------------------------------------


def clamped(at: int, arrived_at: int) -> int:
    """[5] No event is later than its arrival plus a small skew: nobody is immortal."""
    return min(at, arrived_at + CLOCK_SKEW_MS)


def is_late(at: int, cutoff: int | None) -> bool:
    """[6] The event's player has already left."""
    return cutoff is not None and at < cutoff


def latest(*times: int | None) -> int | None:
    """The greatest of the known times; None if none is known. A watermark never goes backwards [6]."""
    known = [time for time in times if time is not None]
    return max(known, default=None)


# --- Leaving [6] -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard of the events' stream as Kinesis lists it."""

    shard_id: str
    parents: tuple[str, ...]
    closed: bool


def shards_to_wait_for(shards: Iterable[Shard], progress: Mapping[str, Progress]) -> list[str]:
    """[6] Ids of the shards whose watermarks count: all but those that are finished.

    Finished is what was read to its end, and a closed shard never begun whose child is already being read (the
    consumer began at LATEST).
    """
    listed = list(shards)
    begun_parents = {parent for shard in listed if shard.shard_id in progress for parent in shard.parents}
    waiting = []
    for shard in listed:
        row = progress.get(shard.shard_id)
        finished = row.ended if row else shard.closed and shard.shard_id in begun_parents
        if not finished:
            waiting.append(shard.shard_id)
    return waiting


def first_watermark(shard: Shard, progress: Mapping[str, Progress]) -> int | None:
    """[6] Where a new shard's watermark begins: its parents' least; None if a parent has none."""
    marks = [progress[parent].watermark if parent in progress else None for parent in shard.parents]
    known = [mark for mark in marks if mark is not None]
    return min(known) if known and len(known) == len(marks) else None


def silence(waiting: Iterable[Progress | None], every: Iterable[Progress]) -> tuple[int, int] | None:
    """[6] (how long the whole stream has been silent in ms, until when it was seen to be), wall clock.

    Silence is what was *seen*: each shard that counts (``waiting``; None: it has no row) says that it had read all
    there was at its ``caught_up_at``. A consumer that is down sees no silence. None if a shard can't tell.
    """
    seen = [row.caught_up_at if row else None for row in waiting]
    caught_up = [time for time in seen if time is not None]
    arrived = [row.arrived_at for row in every if row.arrived_at is not None]
    if not caught_up or len(caught_up) < len(seen) or not arrived:
        return None
    until = min(caught_up)
    return max(0, until - max(arrived)), until


def stream_time(
    waiting: Iterable[Progress | None], every: Iterable[Progress], published: int | None, max_silence_ms: int
) -> int | None:
    """[6] How far the stream's event time has come: what a caught-up, silent shard may move its watermark to.

    The newest time that any shard delivered, so it stands still when none does; once the whole stream has been silent
    for ``max_silence_ms`` it goes on by the clock.
    """
    rows = list(every)
    newest = latest(published, *(row.settled for row in rows))
    silent = silence(waiting, rows)
    if newest is not None and silent is not None and silent[0] >= max_silence_ms:
        return latest(newest, silent[1])
    return newest


def cutoff(
    waiting: Iterable[str], progress: Mapping[str, Progress], idle_timeout_ms: int, lateness_ms: int
) -> int | None:
    """[6] Least watermark of the shards that count, minus idle timeout and allowed lateness; None: can't be told."""
    marks = [progress[shard].watermark if shard in progress else None for shard in waiting]
    known = [mark for mark in marks if mark is not None]
    if not known or len(known) < len(marks):
        return None
    return min(known) - idle_timeout_ms - lateness_ms


# --- Counting [7, 8] -------------------------------------------------------------------------------------------------


def transition_of(change: PlayerChange, idle_timeout_ms: int) -> Transition | None:
    """[6, 8] The move that a change of a row is; None if the level stayed.

    Who leaves, leaves at the row's last event plus the idle timeout: that minute holds the transition.
    """
    source = change.before.level if change.before else None
    target = change.after.level if change.after else None
    if source == target:
        return None
    if change.after:
        at = change.after.at
    elif change.before:
        at = change.before.at + idle_timeout_ms
    else:
        return None
    return Transition(at // MINUTE_MS * 60, source, target)


def escaped(level: str) -> str:
    """A level's id inside the key ``from/to``: without a slash of its own."""
    return level.replace("%", "%25").replace("/", "%2F")


def transition_key(transition: Transition) -> tuple[str, str]:
    """[tables] (``bucket``, ``transition``) of a row of Transitions."""
    name = f"{escaped(transition.source or '')}/{escaped(transition.target or '')}"
    return f"{transition.period}#{crc32(name.encode()) % BUCKETS}", name


def buckets(period: int) -> list[str]:
    """[tables] All values of ``bucket`` of one minute."""
    return [f"{period}#{number}" for number in range(BUCKETS)]
