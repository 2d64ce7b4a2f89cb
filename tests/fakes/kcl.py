"""The KCL in memory: leases, deliveries, checkpoints, crashes, and workers that lost their lease and still run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from headcount.kcl.processor import Handler
from headcount.model import Record
from tests.fakes.hooks import BEFORE, Hook


class CrashError(BaseException):
    """The process dies here; nothing of it may catch this."""


@dataclass
class Session:
    """One life of a worker process; ``at``: how many of the shard's records it was delivered."""

    handler: Handler
    at: int
    busy: bool = False


@dataclass
class Lease:
    """One shard: its records, the last one that a checkpoint covers, and who reads it."""

    shard: str
    records: Sequence[Record]
    checkpoint: Record | None = None
    owner: Session | None = None
    zombies: list[Session] = field(default_factory=list)


class Kcl:
    """Delivers the records of some shards to handlers, as a daemon does. A process that raises is dead."""

    def __init__(self, shards: Sequence[Lease], make: Callable[[str], Handler], hook: Hook) -> None:
        self.shards = shards
        self._make = make
        self._hook = hook

    def deliver(self, shard: int, most: int) -> None:
        """One batch for the shard's owner."""
        lease = self._lease(shard)
        if lease.owner is None:
            self._begin(lease)
        if lease.owner is not None:
            self._batch(lease, lease.owner, most, everything=False)

    def deliver_to_zombie(self, shard: int, most: int) -> None:
        """One batch for a worker that has lost the lease and does not know it."""
        lease = self._lease(shard)
        if lease.zombies:
            self._batch(lease, lease.zombies[0], most, everything=False)

    def steal(self, shard: int) -> None:
        """Give the lease to a new worker; the old one goes on, be it amid a batch."""
        lease = self._lease(shard)
        if lease.owner is not None:
            lease.zombies.append(lease.owner)
            lease.owner = None

    def restart(self, shard: int) -> None:
        """Kill the owner between two batches."""
        lease = self._lease(shard)
        if lease.owner is not None and not lease.owner.busy:
            lease.owner = None

    def drain(self, shard: int) -> None:
        """Ask the owner to shut down."""
        lease = self._lease(shard)
        if lease.owner is not None and not lease.owner.busy:
            session = lease.owner
            self._batch(lease, session, 0, everything=True)
            lease.owner = None if lease.owner is session else lease.owner

    def finish(self) -> None:
        """Deliver all that there is, up to the shards' ends; nothing may fail now. Once more is to change nothing."""
        for lease in self.shards:
            if lease.owner is None:
                self._begin(lease)
            session = lease.owner
            while session is not None and session.at < len(lease.records):
                assert self._batch(lease, session, 10, everything=False)
            assert session is not None
            session.handler.settle(everything=True, ended=True)
            lease.owner = None

    def _lease(self, shard: int) -> Lease:
        return self.shards[shard % len(self.shards)]

    def _begin(self, lease: Lease) -> None:
        """Start the shard's owner; a zombie if another one took the lease meanwhile."""
        handler = self._make(lease.shard)
        done = lease.checkpoint
        try:
            handler.start(done.position if done else None)
        except (CrashError, ClientError, BotoCoreError):
            return
        session = Session(handler, lease.records.index(done) + 1 if done else 0)
        if lease.owner is None:
            lease.owner = session
        else:
            lease.zombies.append(session)

    def _batch(self, lease: Lease, session: Session, most: int, *, everything: bool) -> bool:
        """Whether the process still lives."""
        if session.busy:
            return True
        session.busy = True
        try:
            if not everything:
                records = lease.records[session.at : session.at + most]
                session.at += len(records)
                session.handler.handle(records, caught_up=session.at == len(lease.records))
            place = session.handler.settle(everything=everything)
            self._hook("kcl.checkpoint", BEFORE)
        except (CrashError, ClientError, BotoCoreError):
            lease.owner = None if lease.owner is session else lease.owner
            lease.zombies = [zombie for zombie in lease.zombies if zombie is not session]
            return False
        finally:
            session.busy = False
        if place is not None and session is lease.owner:
            covered = next(record for record in lease.records if record.position == place.position)
            assert lease.checkpoint is None or lease.checkpoint.position <= covered.position, "a checkpoint went back"
            lease.checkpoint = covered
        return True
