"""What a supervisor goes by, set by hand: its workers, its daemon's heartbeat, the lease watch."""

from dataclasses import dataclass, field

from headcount.kcl.children import Children
from headcount.kcl.heartbeat import Heartbeat
from headcount.kcl.lease_watch import LeaseWatch
from headcount.kcl.leases import Leases
from tests.fakes.clock import Clock


@dataclass
class FakeChildren(Children):
    """Ages of the live workers' last batches, by shard; ``clock`` moves them on."""

    clock: Clock
    last_batch: dict[str, float] = field(default_factory=dict)

    def stuck(self, seconds: float) -> list[str]:
        """As the real one."""
        return sorted(shard for shard, at in self.last_batch.items() if self.clock() - at > seconds)


@dataclass
class FakeHeartbeat(Heartbeat):
    """``beat`` is all that the daemon does."""

    clock: Clock
    beaten_at: float = 0.0
    has_begun: bool = False
    has_started: bool = False

    def begin(self) -> None:
        """As the real one."""
        self.beaten_at, self.has_begun, self.has_started = self.clock(), False, False

    def look(self) -> None:
        """Nothing to see."""

    def beat(self, *, started: bool = True) -> None:
        """A sign of life."""
        self.beaten_at, self.has_begun, self.has_started = self.clock(), True, started

    @property
    def silence(self) -> float:
        """As the real one."""
        return self.clock() - self.beaten_at


@dataclass
class FakeWatch(LeaseWatch):
    """What was seen of leases and tables."""

    leases: Leases = field(default_factory=Leases)
    found: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """As the real one."""
        return self.found
