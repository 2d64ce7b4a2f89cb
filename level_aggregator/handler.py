"""What the level aggregator does with a shard's records: read, net, write LevelState and Transitions exactly once."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from headcount.aws_attempts import THROTTLING, cancellation_reasons
from headcount.model import Progress
from headcount.quiet import BATCHES_ON_THEIR_WAY, Note, Quiet
from headcount.rules import latest, transition_of
from headcount.spending import Untold, nothing
from headcount.tables.counts import MOST_ITEMS, Net
from level_aggregator.begin import begin, see_that_no_record_was_skipped
from level_aggregator.stream_record import read_change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from headcount.metrics import AggregatorMetrics
    from headcount.model import Position, Record
    from headcount.tables.counts import CountTables
    from headcount.tables.progress import ProgressTable

SETTLE_SECONDS = 2.0  # between two checkpoints; the progress itself moves with every transaction
LEAST_PAUSE, MOST_PAUSE = 0.05, 1.0  # seconds
STREAM_KEPT_SECONDS = 2 * 86_400  # beyond the day that a DynamoDB stream keeps its records
# A DynamoDB stream does not say where its tip is. So many reads in a row may find nothing though there is something; an
# assumption of docs/correctness.md.
FOUND_NOTHING = 2
MOST_FAILURES = 10  # lost answers in a row; botocore has tried each several times before

_log = structlog.get_logger()


@dataclass(frozen=True)
class Parts:
    """What a handler works with."""

    counts: CountTables
    progress: ProgressTable
    metrics: AggregatorMetrics
    idle_timeout_ms: int
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    spent: Callable[[], float] = nothing  # write units of this process
    # Whether the stream has trimmed what comes after a position in a shard (None: its beginning), by the time (ms).
    is_lost: Callable[[str, Position | None, int], bool] = lambda _shard, _after, _now: False


@dataclass
class _Part:
    """What one transaction takes: the net effect of ``taken`` records, and the times of the moves into a level."""

    net: Net
    taken: int
    entered_at: list[int]


class AggregatorHandler:
    """One shard's records; see `headcount.kcl.processor.Handler`. ``stream``: ``table@created``."""

    def __init__(self, parts: Parts, stream: str, shard: str) -> None:
        self._parts = parts
        self._stream, self._shard = stream, shard
        self._worker = f"level_aggregator/{stream}/{shard}"
        self._progress = Progress()  # the row as last read or written
        self._last: Record | None = None
        self._checkpointed: Record | None = None
        self._quiet = Quiet(BATCHES_ON_THEIR_WAY + FOUND_NOTHING + 1, in_a_row=True)
        self._seen_at: int | None = None
        self._pause = 0.0
        self._settled_at = float("-inf")
        self._untold = Untold(parts.spent)

    def start(self, checkpoint: Position | None) -> None:
        """Read where the shard stands. Raises `GapError` where counting on would lose changes (rule 7)."""
        self._progress = begin(self._parts, self._stream, self._shard, checkpoint)

    def handle(self, records: Sequence[Record], *, caught_up: bool) -> dict[str, int]:  # noqa: ARG002 (the protocol's)
        """Count one batch: when this returns its transitions are in the tables, once.

        Raises `GapError` where changes before it were lost (rule 7).
        """
        note = Note(round(self._parts.wall() * 1000), None)
        confirmed = self._quiet.batch(empty=not records, caught_up=not records, now=note)
        self._seen_at = confirmed.at if confirmed else self._seen_at
        if not records:
            return {}
        self._see_that_no_record_was_skipped()
        self._last = records[-1]
        kinds: Counter[str] = Counter()
        rest = list(records)
        while rest:
            rest = self._unseen(rest, kinds)
            part = self._fill(rest)
            made = part.net.transitions.total()
            if made and not self._apply(part.net, rest[part.taken - 1]):
                continue
            kinds.update(transition=made, renewal=part.taken - made)
            rest = rest[part.taken :]
            counted_at = self._parts.wall()
            for at in part.entered_at:
                self._parts.metrics.lag.observe(max(0.0, counted_at - at / 1000))
        for kind, count in kinds.items():
            self._parts.metrics.changes.labels(kind=kind).inc(count)
        return dict(kinds)

    def settle(self, *, everything: bool, ended: bool = False) -> Record | None:
        """Everything handled is in the tables; the progress row has only to cover what changed no count, and silence.

        Raises `GapError` where a shard ends before all of it was delivered.
        """
        if ended:
            self._see_that_no_record_was_skipped()
        now = self._parts.monotonic()
        if not everything and now - self._settled_at < SETTLE_SECONDS:
            return None
        self._settled_at = now
        last = self._last
        while ended or self._is_behind(last):
            if self._move(last, ended=ended):
                break
        if latest(self._seen_at, self._progress.seen_at) != self._progress.seen_at:
            self._move(last, ended=False)
        if last is self._checkpointed:
            return None
        self._checkpointed = last
        return last

    def _see_that_no_record_was_skipped(self) -> None:
        handled = self._moved(self._last, self._progress) if self._last else self._progress
        see_that_no_record_was_skipped(self._parts, self._shard, handled)

    def _is_behind(self, last: Record | None) -> bool:
        done = self._progress.position
        return last is not None and (done is None or last.position > done)

    def _unseen(self, records: list[Record], kinds: Counter[str]) -> list[Record]:
        """The records beyond the progress; the others were counted before (rule 7)."""
        done = self._progress.position
        rest = [record for record in records if done is None or record.position > done]
        kinds["replayed"] += len(records) - len(rest)
        return rest

    def _fill(self, records: list[Record]) -> _Part:
        """As many records from the front as one transaction holds."""
        part = _Part(Net(), 0, [])
        for record in records:
            change = read_change(record.data)
            transition = transition_of(change, self._parts.idle_timeout_ms)
            if transition is not None:
                if part.net.items_with(transition) > MOST_ITEMS:
                    break
                part.net.add(transition)
                if change.after is not None:
                    part.entered_at.append(change.after.at)
            part.taken += 1
        return part

    def _apply(self, net: Net, last: Record) -> bool:
        """One transaction up to ``last``; False: it did not go through, and the progress has been read anew."""
        failures = 0
        while True:
            if self._pause:
                self._parts.sleep(self._pause * random.uniform(0.5, 1))  # noqa: S311 (jitter)
            was = self._progress
            now = self._moved(last, was)
            try:
                with self._parts.metrics.transaction_seconds.time():
                    self._parts.counts.apply(net, self._parts.progress, self._worker, was, now)
            except (ClientError, BotoCoreError) as error:
                result = _result(error)
                self._parts.metrics.transactions.labels(result=result).inc()
                if result in {"conflict", "throttled"}:
                    self._set_pause(min(MOST_PAUSE, max(LEAST_PAUSE, self._pause * 2)))
                    continue
                _log.warning("transaction not confirmed, reading the progress", result=result, error=str(error))
                self._reload()
                if self._progress.position != was.position:
                    return False
                failures += 1
                if failures == MOST_FAILURES:
                    raise
                self._parts.sleep(LEAST_PAUSE * 2**failures)
            else:
                self._parts.metrics.transactions.labels(result="applied").inc()
                self._set_pause(self._pause / 2 if self._pause > LEAST_PAUSE else 0)
                self._stands(was, now)
                return True

    def _moved(self, last: Record | None, was: Progress) -> Progress:
        """The row with ``last`` covered; a zombie may have covered more."""
        position, arrived_at = (last.position, last.arrived_at) if last else (None, None)
        return replace(
            was,
            position=max(filter(None, (was.position, position)), default=None),
            arrived_at=latest(was.arrived_at, arrived_at),
            seen_at=latest(was.seen_at, self._seen_at),
            updated_at=round(self._parts.wall() * 1000),
            units=was.units + self._untold.units(),
        )

    def _move(self, last: Record | None, *, ended: bool) -> bool:
        was = self._progress
        expires_at = round(self._parts.wall()) + STREAM_KEPT_SECONDS if ended else None
        now = replace(self._moved(last, was), ended=ended, expires_at=expires_at)
        if self._parts.progress.move(self._worker, was, now):
            self._stands(was, now)
            return True
        self._reload()
        return False

    def _stands(self, was: Progress, now: Progress) -> None:
        self._progress = now
        self._untold.tell(now.units - was.units)

    def _reload(self) -> None:
        self._progress = self._parts.progress.read(self._worker) or Progress()

    def _set_pause(self, seconds: float) -> None:
        self._pause = seconds
        self._parts.metrics.pause.labels(shard=self._shard).set(seconds)


def _result(error: ClientError | BotoCoreError) -> str:
    """What a failed transaction means: another writer moved the progress, items are contended, or nothing known."""
    if isinstance(error, ClientError):
        reasons = cancellation_reasons(error.response)
        code = error.response["Error"]["Code"]
        if "ConditionalCheckFailed" in reasons:
            return "rejected"
        if THROTTLING & {*reasons, code}:
            return "throttled"
        if "TransactionConflict" in reasons or code in {
            "TransactionConflictException",
            "TransactionInProgressException",
        }:
            return "conflict"
    return "failed"
