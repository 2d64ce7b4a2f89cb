"""The record processor of both KCL services: handle, settle, checkpoint last (rule 3).

Anything unforeseen ends the process without a checkpoint.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import structlog

from headcount.kcl.protocol import CheckpointError
from headcount.model import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from headcount.kcl.protocol import Checkpointer
    from headcount.model import Record
    from headcount.process_metrics import ShardMetrics

EXIT_FAILED = 1

_BEGINNINGS = {"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}
_CHECKPOINT_TRIES = 10

# A pushed batch may have waited in the daemon while others were handled, and what it says of the stream's tip is as
# old. One that this process had to wait for did not.
PUSHED_WAIT_SECONDS = 0.5

_log = structlog.get_logger()


class Place(Protocol):
    """What a checkpoint names: a record, or what is left of it."""

    @property
    def position(self) -> Position:
        """Its place in the shard."""

    @property
    def sequence_number(self) -> str:
        """As the stream wrote it."""


class Handler(Protocol):
    """What a service does with the records of one shard."""

    def start(self, checkpoint: Position | None) -> None:
        """Called once; ``checkpoint``: where the KCL continues, None: at a beginning."""

    def handle(self, records: Sequence[Record], *, caught_up: bool) -> dict[str, int]:
        """Take one batch (maybe empty); ``caught_up``: it came from the stream's tip and, if pushed, was awaited.

        Returns counts for the batch's log line. All effects that can't wait are durable when it returns.
        """

    def settle(self, *, everything: bool, ended: bool = False) -> Place | None:
        """Make durable what waits (all of it, or what is due) and move the progress.

        Returns the last record that a checkpoint may now cover; None: no newer one. ``ended``: the shard is.
        """


class ShardProcessor:
    """Is told of one shard (`headcount.kcl.protocol.Processor`) and lets a `Handler` do the work."""

    def __init__(
        self,
        make_handler: Callable[[str], Handler],
        metrics: ShardMetrics,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        pushed: bool = False,
    ) -> None:
        """``pushed``: batches come as they are pushed, not as they are asked for."""
        self._make_handler = make_handler
        self._metrics, self._sleep, self._monotonic = metrics, sleep, monotonic
        self._least_wait = PUSHED_WAIT_SECONDS if pushed else 0.0
        self._done_at = float("-inf")
        self._handler: Handler | None = None
        self._shard = ""
        self._lost = False

    def initialize(self, shard: str, sequence_number: str | None, sub: int) -> None:
        """Begin with a shard."""
        self._shard = shard
        structlog.contextvars.bind_contextvars(shard=shard)
        checkpoint = None
        if sequence_number is not None and sequence_number not in _BEGINNINGS:
            checkpoint = Position(int(sequence_number), sub)
        with _Fatal("initialize"):
            self._handler = self._make_handler(self._shard)
            self._handler.start(checkpoint)
        self._metrics.last_batch.labels(shard=self._shard).set_to_current_time()
        self._metrics.last_checkpoint.labels(shard=self._shard).set_to_current_time()
        _log.info("shard begun", checkpoint=sequence_number)

    def process_records(self, records: Sequence[Record], behind: int | None, checkpointer: Checkpointer) -> None:
        """Handle one batch; empty ones are the heartbeat."""
        if self._lost or self._handler is None:
            return
        begun = time.perf_counter()
        was_awaited = self._monotonic() - self._done_at >= self._least_wait
        with _Fatal("process records"):
            counts = self._handler.handle(records, caught_up=behind == 0 and was_awaited)
            self._checkpoint(checkpointer, self._handler.settle(everything=False))
        took = time.perf_counter() - begun
        self._observe(records, behind, took)
        if records:
            _log.info("batch", records=len(records), behind_ms=behind, took_ms=round(took * 1000), **counts)
        self._done_at = self._monotonic()  # at the very end: a log that blocks is no waiting

    def lease_lost(self) -> None:
        """Another worker has the shard: nothing more of it is ours; what is held back, its replay writes."""
        self._lost = True
        _log.info("lease lost")

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """All records of the shard were delivered: settle and checkpoint, or the KCL never begins its children."""
        if self._lost or self._handler is None:
            return
        with _Fatal("end shard"):
            self._handler.settle(everything=True, ended=True)
            self._checkpointed(checkpointer.checkpoint)
        _log.info("shard ended")

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Drain: settle everything and checkpoint."""
        if self._lost or self._handler is None:
            return
        with _Fatal("drain"):
            self._checkpoint(checkpointer, self._handler.settle(everything=True))
        _log.info("shard drained")

    def _checkpoint(self, checkpointer: Checkpointer, place: Place | None) -> None:
        if place is not None:
            self._checkpointed(lambda: checkpointer.checkpoint(place.sequence_number, place.position.sub))

    def _checkpointed(self, checkpoint: Callable[[], None]) -> None:
        for tries in range(_CHECKPOINT_TRIES):
            try:
                checkpoint()
            except CheckpointError as error:
                if error.reason == "ShutdownException":  # another worker has the lease
                    self._lost = True
                    _log.info("lease lost at a checkpoint")
                    return
                if error.reason == "InvalidStateException" or tries + 1 == _CHECKPOINT_TRIES:
                    raise
                _log.warning("checkpoint refused, trying again", reason=error.reason)
                self._sleep(min(5.0, 0.1 * 2**tries))
            else:
                self._metrics.checkpoints.labels(shard=self._shard).inc()
                self._metrics.last_checkpoint.labels(shard=self._shard).set_to_current_time()
                return

    def _observe(self, records: Sequence[Record], behind: int | None, took: float) -> None:
        metrics, shard = self._metrics, self._shard
        metrics.batches.labels(shard=shard).inc()
        metrics.batch_records.labels(shard=shard).inc(len(records))
        metrics.batch_seconds.observe(took)
        metrics.last_batch.labels(shard=shard).set_to_current_time()
        # The KCL speaks of when the batch was fetched, which may be long ago: it fetches ahead.
        waited = round(time.time() * 1000) - records[-1].arrived_at if records else 0
        if records or behind is not None:
            metrics.behind.labels(shard=shard).set(max(0, behind or 0, waited) / 1000)


class _Fatal:
    """Ends the process on any exception, having said what was under way."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception):
            _log.error("record processor failed: ends without a checkpoint", doing=self._doing, exc_info=error)
            raise SystemExit(EXIT_FAILED) from error
