"""The KCL in memory: leases, fetches ahead, deliveries, checkpoints, crashes, workers that lost their lease and go on.

The processors are the real ones (`headcount.kcl.processor`). Facts are by the KCL's behaviour in ``platform.md``: a
shard's children begin when the KCL has its parents' end; a worker without the lease may go on until it is told, but its
checkpoints are refused.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from amazon_kclpy.checkpoint_error import CheckpointError

from headcount.model import Position
from tests.simulation.watching import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from headcount.kcl.processor import ShardProcessor
    from headcount.model import Record
    from tests.simulation.streams import Stream, StreamShard


class CrashError(BaseException):
    """The process dies here; nothing of it may catch this."""


@dataclass(eq=False)
class Worker:
    """One life of a worker process; ``at``: how many of the shard's records it has fetched."""

    lease: Lease
    processor: ShardProcessor
    at: int
    fetched: deque[tuple[Sequence[Record], int]] = field(default_factory=deque)
    busy: bool = False


@dataclass(eq=False)
class Lease:
    """A shard, the position that its checkpoint covers, and who reads it."""

    shard: StreamShard
    checkpoint: Position | None = None
    ended: bool = False
    owner: Worker | None = None
    zombies: list[Worker] = field(default_factory=list)


class Kcl:
    """One application: delivers a stream's shards to processors.

    ``prefetch``: batches fetched ahead, at most 2. ``touch`` is called as a checkpoint is asked for, ``on_checkpoint``
    as one is made, with the shard and the position (None: the shard's end).
    """

    def __init__(
        self,
        stream: Stream,
        make: Callable[[], ShardProcessor],
        touch: Callable[[], object],
        on_checkpoint: Callable[[str, Position | None], None],
        prefetch: int,
    ) -> None:
        self._stream, self._make, self._touch, self._on_checkpoint = stream, make, touch, on_checkpoint
        self._prefetch = prefetch
        self.leases: dict[str, Lease] = {}

    @property
    def available(self) -> list[Lease]:
        """Leases of the shards that may be read now: not ended, their parents are."""
        for shard_id, shard in self._stream.shards.items():
            if shard_id not in self.leases:
                self.leases[shard_id] = Lease(shard)
        return [
            lease
            for lease in self.leases.values()
            if not lease.ended and all(self.leases[parent].ended for parent in lease.shard.parents)
        ]

    def poll(self, number: int, most: int) -> None:
        """One round of a shard's owner, who is started if there is none: fetch a batch, deliver what is due."""
        available = self.available
        if available:
            lease = available[number % len(available)]
            if lease.owner is None:
                self._begin(lease)
            if lease.owner is not None:
                self._round(lease.owner, most, self._prefetch)

    def poll_zombie(self, number: int, most: int) -> None:
        """One round of a worker that has lost the lease and does not know it."""
        zombies = self._zombies()
        if zombies:
            self._round(zombies[number % len(zombies)], most, self._prefetch)

    def tell(self, number: int) -> None:
        """Let a worker know that it has lost the lease."""
        zombies = self._zombies()
        if zombies:
            zombie = zombies[number % len(zombies)]
            if not zombie.busy:
                zombie.processor.lease_lost(None)
                self._round(zombie, 10, 0)  # what was in the pipe comes through
                self._bury(zombie)

    def steal(self, number: int) -> None:
        """Take the lease away; the owner goes on, be it amid a batch."""
        available = self.available
        if available:
            lease = available[number % len(available)]
            if lease.owner is not None:
                lease.zombies.append(lease.owner)
                lease.owner = None

    def take_over(self, number: int, most: int) -> None:
        """Let another worker have the lease, and begin."""
        self.steal(number)
        self.poll(number, most)

    def kill(self, number: int) -> None:
        """Kill a shard's owner between two batches."""
        available = self.available
        if available:
            lease = available[number % len(available)]
            if lease.owner is not None and not lease.owner.busy:
                lease.owner = None

    def kill_all(self) -> None:
        """Kill every worker that is not amid a batch, the zombies too: the machine is gone."""
        for lease in self.leases.values():
            if lease.owner is not None and not lease.owner.busy:
                lease.owner = None
            lease.zombies = [zombie for zombie in lease.zombies if zombie.busy]

    def drain(self, number: int) -> None:
        """Ask a shard's owner to shut down, and let it."""
        available = self.available
        if available:
            lease = available[number % len(available)]
            worker = lease.owner
            if worker is not None and not worker.busy:
                self._call(worker, lambda: worker.processor.shutdown_requested(self._told(worker)))
                if lease.owner is worker:
                    lease.owner = None

    def deliver_all(self, most: int) -> None:
        """One calm round of every shard."""
        for number in range(len(self.available)):
            self.poll(number, most)

    @property
    def rests(self) -> bool:
        """Whether everything was delivered: every shard that is open has an owner at its tip, the closed ones ended."""
        return all(
            lease.owner is not None
            and not lease.shard.closed
            and lease.owner.at == len(lease.shard.records)
            and not any(batch for batch, _ in lease.owner.fetched)
            for lease in self.available
        )

    def drain_all(self) -> None:
        """Shut every owner down."""
        for number in range(len(self.available)):
            self.drain(number)

    def begin_anew(self) -> None:
        """Forget all leases and checkpoints, as an operator who replays the stream from TRIM_HORIZON does."""
        self.leases = {}

    def _zombies(self) -> list[Worker]:
        return [zombie for lease in self.leases.values() for zombie in lease.zombies]

    def _begin(self, lease: Lease) -> None:
        """Start the shard's owner; it is a zombie at once if another one took the lease meanwhile."""
        done = lease.checkpoint
        at = sum(1 for record in lease.shard.records if done is not None and record.position <= done)
        worker = Worker(lease, self._make(), at)
        told = SimpleNamespace(
            shard_id=lease.shard.shard_id,
            sequence_number=str(done.sequence) if done else "TRIM_HORIZON",
            sub_sequence_number=done.sub if done else 0,
        )
        worker.busy = True
        try:
            worker.processor.initialize(told)
        except (CrashError, SystemExit):
            return
        finally:
            worker.busy = False
        if lease.owner is None:
            lease.owner = worker
        else:
            lease.zombies.append(worker)

    def _round(self, worker: Worker, most: int, prefetch: int) -> None:
        if worker.busy:
            return
        records = worker.lease.shard.records
        batch = records[worker.at : worker.at + most]
        worker.at += len(batch)
        worker.fetched.append((batch, 1000 * (len(records) - worker.at)))
        while len(worker.fetched) > prefetch:
            if not self._deliver(worker):
                return
        shard = worker.lease.shard
        if shard.closed and worker.at == len(records):
            while worker.fetched:
                if not self._deliver(worker):
                    return
            self._call(worker, lambda: worker.processor.shard_ended(self._told(worker)))

    def _deliver(self, worker: Worker) -> bool:
        batch, behind = worker.fetched.popleft()
        told = SimpleNamespace(
            records=[_raw(record) for record in batch],
            millis_behind_latest=behind,
            checkpointer=_Checkpointer(self, worker),
        )
        return self._call(worker, lambda: worker.processor.process_records(told))

    def _call(self, worker: Worker, call: Callable[[], None]) -> bool:
        """Whether the process still lives."""
        if worker.busy:
            return False
        worker.busy = True
        try:
            call()
        except (CrashError, SystemExit):
            self._bury(worker)
            return False
        except Exception:  # noqa: BLE001, S110 (amazon_kclpy tells the daemon that all went well)
            pass
        finally:
            worker.busy = False
        return True

    def _bury(self, worker: Worker) -> None:
        lease = worker.lease
        lease.owner = None if lease.owner is worker else lease.owner
        lease.zombies = [zombie for zombie in lease.zombies if zombie is not worker]

    def _told(self, worker: Worker) -> SimpleNamespace:
        return SimpleNamespace(checkpointer=_Checkpointer(self, worker))

    def checkpoint(self, worker: Worker, position: Position | None) -> None:
        """Make a checkpoint (None: of the shard's end), unless the worker has lost the lease."""
        self._touch()
        lease = worker.lease
        if lease.owner is not worker or lease.ended:
            raise CheckpointError("ShutdownException")
        self._on_checkpoint(lease.shard.shard_id, position)
        if position is None:
            lease.ended, lease.owner = True, None
        else:
            hold(lease.checkpoint is None or lease.checkpoint <= position, "a checkpoint went back")
            lease.checkpoint = position


@dataclass(frozen=True)
class _Checkpointer:
    kcl: Kcl
    worker: Worker

    def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int = 0) -> None:
        """As amazon_kclpy's."""
        position = None if sequence_number is None else Position(int(sequence_number), sub_sequence_number)
        self.kcl.checkpoint(self.worker, position)


def _raw(record: Record) -> Any:
    return SimpleNamespace(
        sequence_number=record.sequence_number,
        sub_sequence_number=record.position.sub,
        binary_data=record.data,
        timestamp_millis=record.arrived_at,
    )
