"""One application of the KCL in memory, and what a schedule does to it."""

from __future__ import annotations

from tests.simulation.delivery import Delivery
from tests.simulation.leases import Checkpointer, Worker


class Kcl(Delivery):
    """See `Delivery`."""

    def poll(self, number: int, most: int) -> None:
        """One round of a shard's owner, who is started if there is none: fetch a batch, deliver what is due."""
        if not self._around.may_run():
            self.kill_all()
            return
        available = self.available
        if available:
            lease = available[number % len(available)]
            if lease.owner is None:
                self._begin(lease)
            if lease.owner is not None:
                self._round(lease.owner, most, self._prefetch)

    @property
    def is_a_zombie_busy(self) -> bool:
        """Whether a worker that has lost the lease is amid a call."""
        return any(zombie.busy for zombie in self._zombies())

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
                zombie.processor.lease_lost()
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

    def hold(self, number: int, seconds: float) -> None:
        """Hold a shard's owner up, where the stream pushes: it takes nothing, and what comes meanwhile waits for it."""
        available = self.available
        if self._pushed and available:
            lease = available[number % len(available)]
            if lease.owner is not None and not lease.owner.busy:
                lease.owner.stopwatch.hold(seconds)

    def let_go(self) -> None:
        """Nobody is held up any more."""
        for lease in self.leases.values():
            for worker in (lease.owner, *lease.zombies):
                if worker is not None:
                    worker.stopwatch.is_held(let_go=True)

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
                self._call(worker, lambda: worker.processor.shutdown_requested(Checkpointer(self, worker)))
                if lease.owner is worker:
                    lease.owner = None

    def deliver_all(self, most: int) -> None:
        """One calm round of every shard."""
        for number in range(len(self.available)):
            self.poll(number, most)

    def drain_all(self) -> None:
        """Shut every owner down."""
        for number in range(len(self.available)):
            self.drain(number)

    def expire(self) -> None:
        """The stream forgets a shard that was read to its end."""
        for lease in self.leases.values():
            if lease.ended and not lease.shard.gone:
                lease.shard.gone = True
                return

    def begin_anew(self) -> None:
        """Forget all leases and checkpoints, as an operator who replays the stream from TRIM_HORIZON does."""
        self.leases = {}

    def _zombies(self) -> list[Worker]:
        return [zombie for lease in self.leases.values() for zombie in lease.zombies]
