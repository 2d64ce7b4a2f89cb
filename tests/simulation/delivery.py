"""How the simulated KCL delivers: leases, fetches ahead, batches, checkpoints, the deaths of processes.

The processors are the real ones (`headcount.kcl.processor`). Facts are by the KCL's behaviour in ``platform.md``: a
shard's children begin when the KCL has its parents' end; a worker without the lease may go on until it is told, but its
checkpoints are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headcount.kcl.protocol import CheckpointError
from tests.fakes.dynamodb import AFTER, BEFORE
from tests.simulation.broken import hold
from tests.simulation.leases import Checkpointer, CrashError, Lease, Stopwatch, Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from headcount.kcl.processor import ShardProcessor
    from headcount.model import Position
    from tests.simulation.streams import Stream


MOST_EMPTY = 2  # an assumption of docs/correctness.md
MOST_PUSHED = 19  # batches that the KCL holds for a worker: 8 in its subscriber, 11 in its publisher (KCL 3.1.3)


@dataclass(frozen=True)
class Around:
    """What the KCL tells of. ``touch``: a checkpoint is asked for (before) or was made (after).

    ``on_checkpoint``: one is made, with the shard and the position (None: the shard's end). ``batch``: around a batch.
    ``may_run``: whether the daemon may (`headcount.kcl.gate`). ``on_failure``: a process ended by itself. ``clock``: s.
    """

    touch: Callable[[str], object]
    on_checkpoint: Callable[[str, Position | None], None]
    batch: Callable[[], AbstractContextManager[None]]
    may_run: Callable[[], bool]
    on_failure: Callable[[], None]
    clock: Callable[[], float]


class Delivery:
    """Delivers a stream's shards to processors. ``prefetch``: batches fetched ahead, at most 2.

    ``tells_its_tip``: a read that finds nothing says whether there is something. Else `MOST_EMPTY` in a row may not.
    ``pushed``: the stream pushes them. They come while a worker is busy, up to `MOST_PUSHED`, and wait only then.
    """

    def __init__(
        self,
        stream: Stream,
        make: Callable[[Stopwatch], ShardProcessor],
        around: Around,
        prefetch: int,
        *,
        pushed: bool,
        tells_its_tip: bool,
    ) -> None:
        self._stream, self._make, self._around = stream, make, around
        self._tells_its_tip = tells_its_tip
        self._prefetch, self._pushed = 0 if pushed else prefetch, pushed
        self.leases: dict[str, Lease] = {}
        self._calls = 0  # of processors, under way

    @property
    def is_busy(self) -> bool:
        """Whether a processor is amid a call."""
        return self._calls > 0

    @property
    def available(self) -> list[Lease]:
        """Leases of the shards that may be read now: not ended, their parents are."""
        listed = self._stream.listed
        self.leases = {shard_id: lease for shard_id, lease in self.leases.items() if shard_id in listed}
        for shard_id, shard in listed.items():
            if shard_id not in self.leases:
                self.leases[shard_id] = Lease(shard)
        return [
            lease
            for lease in self.leases.values()
            if not lease.ended
            and all(parent not in listed or self.leases[parent].ended for parent in lease.shard.parents)
        ]

    @property
    def rests(self) -> bool:
        """Whether everything was delivered: every shard that is open has an owner at its tip, the closed ones ended."""
        return all(lease.is_through and not lease.shard.closed for lease in self.available)

    def _begin(self, lease: Lease) -> None:
        """Start the shard's owner; it is a zombie at once if another one took the lease meanwhile."""
        done = lease.checkpoint
        at = sum(1 for record in lease.shard.records if done is not None and record.position <= done)
        at = max(at, lease.shard.trimmed)
        stopwatch = Stopwatch(self._around.clock)
        worker = Worker(lease, self._make(stopwatch), at, stopwatch)
        begin = (str(done.sequence), done.sub) if done else ("TRIM_HORIZON", 0)
        worker.busy = True
        self._calls += 1
        try:
            worker.processor.initialize(lease.shard.shard_id, *begin)
        except CrashError:
            return
        except SystemExit:
            self._around.on_failure()
            return
        finally:
            worker.busy = False
            self._calls -= 1
        if lease.owner is None:
            lease.owner = worker
        else:
            lease.zombies.append(worker)

    def _round(self, worker: Worker, most: int, prefetch: int) -> None:
        is_held = worker.busy or worker.stopwatch.is_held()
        if is_held and not (self._pushed and len(worker.fetched) < MOST_PUSHED):
            return
        records = worker.lease.shard.records
        worker.at = max(worker.at, worker.lease.shard.trimmed)  # what is trimmed, the streams adapter skips in silence
        is_left = worker.at < len(records)
        if is_left and not self._tells_its_tip and worker.found_nothing == MOST_EMPTY:
            most = max(most, 1)
        worker.found_nothing = worker.found_nothing + 1 if is_left and not most else 0
        batch = records[worker.at : worker.at + most]
        worker.at += len(batch)
        worker.fetched.append((batch, 1000 * (len(records) - worker.at)))
        if is_held:
            return
        while len(worker.fetched) > prefetch:
            if not self._deliver(worker):
                return
        shard = worker.lease.shard
        if shard.closed and worker.at == len(records):
            while worker.fetched:
                if not self._deliver(worker):
                    return
            self._call(worker, lambda: worker.processor.shard_ended(Checkpointer(self, worker)))

    def _deliver(self, worker: Worker) -> bool:
        batch, behind = worker.fetched.popleft()
        told = Checkpointer(self, worker)
        with self._around.batch():
            return self._call(worker, lambda: worker.processor.process_records(batch, behind, told))

    def _call(self, worker: Worker, call: Callable[[], None]) -> bool:
        """Whether the process still lives."""
        if worker.busy:
            return False
        worker.busy = True
        self._calls += 1
        try:
            call()
        except (CrashError, SystemExit) as end:
            self._bury(worker)
            if isinstance(end, SystemExit):
                self._around.on_failure()
            return False
        finally:
            worker.busy = False
            self._calls -= 1
        return True

    def _bury(self, worker: Worker) -> None:
        lease = worker.lease
        lease.owner = None if lease.owner is worker else lease.owner
        lease.zombies = [zombie for zombie in lease.zombies if zombie is not worker]

    def checkpoint(self, worker: Worker, position: Position | None) -> None:
        """Make a checkpoint (None: of the shard's end), unless the worker has lost the lease."""
        self._around.touch(BEFORE)
        lease = worker.lease
        if lease.owner is not worker or lease.ended:
            raise CheckpointError("ShutdownException")
        self._around.on_checkpoint(lease.shard.shard_id, position)
        if position is None:
            lease.ended, lease.owner = True, None
        else:
            hold(lease.checkpoint is None or lease.checkpoint <= position, "a checkpoint went back")
            lease.checkpoint = position
        self._around.touch(AFTER)
