"""What the consumer does with a shard's records: read, decide, write PlayerState, move the progress."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from consumer.ledger import Entry, Ledger
from consumer.poison_limit import NO_LIMIT, PoisonGuard, PoisonLimit, PoisonLimitError
from consumer.roster import Noted, Roster
from consumer.writing import PlayerWriter
from headcount.dead_letters import DeadLetter
from headcount.model import IgnoredEvent, LevelEvent, Outcome, PoisonError, Progress
from headcount.quiet import PUSHES_IN_A_ROW, Note, Quiet
from headcount.rules import clamped, is_late, latest
from headcount.spending import Untold, nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from consumer.ledger import Settled
    from headcount.dead_letters import DeadLetters
    from headcount.metrics import ConsumerMetrics
    from headcount.model import Cutoff, Position, Record
    from headcount.snowplow import EventReader
    from headcount.tables.players import PlayerTable
    from headcount.tables.progress import ProgressTable

SETTLE_SECONDS = 2.0  # between two moves of the progress; each costs a write, and a checkpoint another
STREAM_KEPT_SECONDS = 366 * 86_400  # beyond the longest that a Kinesis stream keeps its records
# Records; beyond it the oldest renewals are written early, so that memory stays bounded, until so many are left.
MOST_UNSETTLED, LEFT_UNSETTLED = 50_000, 48_000
EVER = float("inf")

Read = LevelEvent | IgnoredEvent | PoisonError

_log = structlog.get_logger()


@dataclass(frozen=True)
class Parts:
    """What a handler works with; ``refresh``: seconds that a renewal may wait."""

    reader: EventReader
    players: PlayerTable
    progress: ProgressTable
    dead_letters: DeadLetters
    metrics: ConsumerMetrics
    writers: Executor
    refresh: float
    first_watermark: Callable[[str], int | None]
    poison_limit: PoisonLimit = NO_LIMIT
    pushed: bool = False
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    spent: Callable[[], float] = nothing  # write units of this process


class ConsumerHandler:
    """One shard's records; see `headcount.kcl.processor.Handler`. ``stream``: ``name@created``."""

    def __init__(self, parts: Parts, stream: str, shard: str) -> None:
        self._parts = parts
        self._stream, self._shard = stream, shard
        self._worker = f"consumer/{stream}/{shard}"
        self._progress = Progress()  # the row as last read or written
        self._ledger = Ledger()
        self._roster = Roster(parts.refresh)
        self._writer = PlayerWriter(parts.players, parts.writers, parts.metrics)
        self._quiet = Quiet(PUSHES_IN_A_ROW, in_a_row=True) if parts.pushed else Quiet()
        self._guard = PoisonGuard(parts.poison_limit, None, None)
        self._confirmed: Note | None = None
        self._newest: int | None = None
        self._arrived_at: int | None = None
        self._settled_at = float("-inf")
        self._untold = Untold(parts.spent)

    def start(self, checkpoint: Position | None) -> None:
        """Read where the shard stands; a new shard begins with its parents' least watermark."""
        found = self._parts.progress.read(self._worker)
        self._progress = found or Progress(watermark=self._parts.first_watermark(self._shard))
        self._guard = PoisonGuard(self._parts.poison_limit, self._progress.position, self._progress.poison)
        _log.info("progress", position=str(self._progress.position), checkpoint=str(checkpoint))

    def handle(self, records: Sequence[Record], *, caught_up: bool) -> dict[str, int]:
        """Judge and write one batch; changes are written when it returns, renewals when due.

        Raises `PoisonLimitError` before anything is written, where too much of it can't be read.
        """
        parts = self._parts
        reads = self._read(records)
        cutoff = parts.progress.cutoff()
        now = parts.monotonic()
        due = self._roster.raise_cutoff(cutoff.cutoff) | self._roster.due(now, self._too_long_ago())
        confirmed = self._quiet.batch(empty=not records, caught_up=caught_up, now=self._note(cutoff))
        self._confirmed = confirmed or self._confirmed
        noted: list[Noted] = []
        entries = [Entry(record.sequence_number, record.position.sub, record.arrived_at) for record in records]
        for record, read, entry in zip(records, reads, entries, strict=True):
            event = self._judge(record, read, entry, cutoff.cutoff)
            if event is not None:
                noted.append((event, entry))
        self._ledger.extend(entries, now)
        self._newest = latest(self._newest, *(entry.at for entry in entries))
        self._arrived_at = latest(self._arrived_at, *(entry.arrived_at for entry in entries))
        for reason, count in Counter(read.reason for read in reads if isinstance(read, IgnoredEvent)).items():
            parts.metrics.ignored.labels(reason=reason.value).inc(count)
        settled = Counter(entry.outcome for entry in entries if entry.outcome is not None)
        counts = Counter({"events": len(noted)} if noted else {})
        counts.update({str(outcome): count for outcome, count in settled.items()})
        counts.update(self._writer.write(self._roster.take(noted, due, now)))
        parts.metrics.held_back.labels(shard=self._shard).set(self._roster.held_back)
        parts.metrics.unsettled.labels(shard=self._shard).set(len(self._ledger))
        return dict(counts)

    def settle(self, *, everything: bool, ended: bool = False) -> Entry | None:
        """Move the progress up to the first record that waits; ``everything``: after writing all that waits."""
        now = self._parts.monotonic()
        if everything:
            self._writer.write(self._roster.take([], self._roster.due(now, EVER), now))
        elif not self._full() and now - self._settled_at < min(SETTLE_SECONDS, self._parts.refresh / 6):
            return None  # a full ledger must go down at once, else the next batch writes renewals early again
        self._settled_at = now
        front = self._ledger.front()
        while True:
            was = self._progress
            self._progress = self._moved(was, front, ended=ended)
            if self._parts.progress.move(self._worker, was, self._progress):
                self._untold.tell(self._progress.units - was.units)
                break
            # Another writer moved it (a lost answer of our own, or a worker that lost the lease): go on from there.
            self._progress = self._parts.progress.read(self._worker) or Progress()
            _log.warning("progress moved by another writer", position=str(self._progress.position))
        if self._progress.watermark is not None:
            self._parts.metrics.watermark.labels(shard=self._shard).set(self._progress.watermark / 1000)
        if front is None:
            return None
        for outcome, count in front.tallies_after(None).items():
            self._parts.metrics.records.labels(outcome=outcome).inc(count)
        self._ledger.drop(front)
        self._parts.metrics.unsettled.labels(shard=self._shard).set(len(self._ledger))
        return front.last

    def _note(self, cutoff: Cutoff) -> Note | None:
        """The time, if it can be told: a clock that is ahead would see a silence that lasts, and let everybody leave.

        The earlier one of DynamoDB's clock and our own: both must be ahead for that.
        """
        if cutoff.read_at is None:
            return None
        return Note(min(cutoff.read_at, round(self._parts.wall() * 1000)), cutoff.stream_time)

    def _full(self) -> bool:
        return len(self._ledger) > MOST_UNSETTLED

    def _too_long_ago(self) -> float:
        """What was read by then can't wait for its refresh."""
        return self._ledger.read_by(len(self._ledger) - LEFT_UNSETTLED if self._full() else 0)

    def _read(self, records: Sequence[Record]) -> list[Read]:
        """What each record says, or why it can't be read; no letter is written before all of the batch is judged."""
        reads: list[Read] = []
        for record in records:
            try:
                reads.append(self._parts.reader.read(record.data))
            except PoisonError as poison:
                reads.append(poison)
        try:
            self._guard.check(
                (record, read if isinstance(read, PoisonError) else None)
                for record, read in zip(records, reads, strict=True)
            )
        except PoisonLimitError as error:
            self._parts.metrics.poison_stops.labels(shard=self._shard, limit=error.broken.value).inc()
            raise
        return reads

    def _judge(self, record: Record, read: Read, entry: Entry, cutoff: int | None) -> LevelEvent | None:
        """Settle a record that changes no player; else the event to apply, its time clamped."""
        if isinstance(read, PoisonError):
            self._bury(record, read)
            entry.outcome = Outcome.DEAD_LETTERED
            return None
        entry.at = clamped(read.at, record.arrived_at)
        if entry.at != read.at:
            self._parts.metrics.clamped.inc()
        if isinstance(read, IgnoredEvent):
            entry.outcome = Outcome.IGNORED
            return None
        if is_late(entry.at, cutoff):
            entry.outcome = Outcome.LATE
            return None
        return read if entry.at == read.at else LevelEvent(read.player, read.level, entry.at)

    def _bury(self, record: Record, poison: PoisonError) -> None:
        letter = DeadLetter(
            stream=self._stream,
            shard=self._shard,
            position=str(record.position),
            sequence_number=record.sequence_number,
            arrived_at=record.arrived_at,
            reason=poison.reason,
            detail=str(poison),
            raw=record.data,
        )
        self._parts.dead_letters.put(letter)
        self._parts.metrics.dead_letters.labels(reason=poison.reason).inc()
        _log.warning("dead letter", sequence_number=record.sequence_number, reason=poison.reason)

    def _moved(self, was: Progress, front: Settled | None, *, ended: bool) -> Progress:
        """The row as it shall stand now that ``front`` is settled, given how it stood."""
        tallies = Counter(was.tallies)
        position, newest, left, poison = was.position, None, len(self._ledger), was.poison
        if front is not None:
            tallies.update(front.tallies_after(was.position))
            position = max(filter(None, (was.position, front.last.position)))
            newest = front.newest
            poison = front.poison_after(was.position, was.poison)
            left -= len(front.entries)
        quiet = self._confirmed if left == 0 else None  # what waits is read, but not written
        watermark = latest(was.watermark, newest, quiet.stream_time if quiet else None)
        return Progress(
            position=position,
            watermark=watermark,
            settled=latest(was.settled, self._newest, watermark),
            tallies=dict(tallies),
            arrived_at=latest(was.arrived_at, self._arrived_at),
            caught_up_at=latest(was.caught_up_at, quiet.at if quiet else None),
            seen_at=latest(was.seen_at, self._confirmed.at if self._confirmed else None),
            updated_at=round(self._parts.wall() * 1000),
            ended=ended,
            expires_at=round(self._parts.wall()) + STREAM_KEPT_SECONDS if ended else None,
            poison=poison,
            units=was.units + self._untold.units(),
        )
