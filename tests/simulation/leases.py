"""What the simulated KCL keeps: leases, the lives of worker processes, and what it hands to a processor."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from headcount.model import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from headcount.kcl.processor import ShardProcessor
    from headcount.model import Record
    from tests.simulation.streams import StreamShard


class CrashError(BaseException):
    """The process dies here; nothing of it may catch this."""


@dataclass(eq=False)
class Stopwatch:
    """A worker's monotonic clock. While it is held up, amid a call as it were, no time passes for it."""

    clock: Callable[[], float]
    since: float | None = None
    until: float = 0.0
    lost: float = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.clock() - self.lost

    def hold(self, seconds: float) -> None:
        """Hold the worker up from now on."""
        self.since, self.until = self.clock(), self.clock() + seconds

    def is_held(self, *, let_go: bool = False) -> bool:
        """Whether it still is."""
        if self.since is not None and (let_go or self.clock() >= self.until):
            self.lost, self.since = self.lost + self.clock() - self.since, None
        return self.since is not None


@dataclass(eq=False)
class Worker:
    """One life of a worker process; ``at``: how many of the shard's records it has fetched."""

    lease: Lease
    processor: ShardProcessor
    at: int
    stopwatch: Stopwatch
    fetched: deque[tuple[Sequence[Record], int]] = field(default_factory=deque)
    busy: bool = False
    found_nothing: int = 0  # reads in a row, though there was something


@dataclass(eq=False)
class Lease:
    """A shard, the position that its checkpoint covers, and who reads it."""

    shard: StreamShard
    checkpoint: Position | None = None
    ended: bool = False
    owner: Worker | None = None
    zombies: list[Worker] = field(default_factory=list)

    @property
    def is_through(self) -> bool:
        """Whether all that the shard has was delivered to its owner."""
        owner = self.owner
        return (
            owner is not None and owner.at == len(self.shard.records) and not any(batch for batch, _ in owner.fetched)
        )

    @property
    def told(self) -> str:
        """The checkpoint, as the lease table has it."""
        if self.ended:
            return "SHARD_END"
        return str(self.checkpoint.sequence) if self.checkpoint is not None else "TRIM_HORIZON"


class Checkpointing(Protocol):
    """What makes checkpoints."""

    def checkpoint(self, worker: Worker, position: Position | None) -> None:
        """Make one (None: of the shard's end)."""


@dataclass(frozen=True)
class Checkpointer:
    """What a processor is handed."""

    kcl: Checkpointing
    worker: Worker

    def checkpoint(self, sequence_number: str | None = None, sub: int | None = None) -> None:
        """See `headcount.kcl.protocol.Checkpointer`."""
        position = None if sequence_number is None else Position(int(sequence_number), sub or 0)
        self.kcl.checkpoint(self.worker, position)
