"""Streams, tables, both services and a pruner in memory; what happens to them is a list of steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from botocore.exceptions import ConnectionClosedError

from headcount.model import Record
from tests.fakes.counts import cancelled
from tests.fakes.hooks import AFTER, BEFORE
from tests.fakes.kcl import CrashError, Kcl, Lease
from tests.fakes.lines import NOON, event_line, other_line, record
from tests.fakes.wiring import House

SECOND = 1000
FIRST = 1000  # sequence number of the first record sent
SILENT_UNTIL = NOON + 300 * SECOND  # no event is so late: a watermark there comes from a silence
Event = tuple[str, str, int]  # player, level, seconds after noon
Kind = Literal["level", "other", "poison"]


@dataclass(frozen=True)
class Sent:
    """A record on the stream: what it is, its shard, and when it arrived (seconds after noon)."""

    kind: Kind
    event: Event
    shard: int
    arrived: int


@dataclass(frozen=True)
class Step:
    """Something that happens, and what breaks in as it does: a ``fault``, at a place that ``fault_at`` chooses."""

    what: str
    service: int
    shard: int
    amount: int
    fault: str = "none"
    fault_at: int = 0
    inner: "Step | None" = None


@dataclass
class World:
    """Streams, tables, both services and a pruner; and the fault that waits."""

    sent: Sequence[Sent]
    refresh: float
    armed: Step | None = None
    touches: int = 0
    stream_shards: list[list[Record]] = field(default_factory=lambda: [[], []])

    def __post_init__(self) -> None:
        """Lay the records on their shards."""
        self.house = House(self.touch, self.refresh)
        shards: list[list[Record]] = [[], [], []]
        for number, sent in enumerate(self.sent):
            shards[sent.shard].append(record(FIRST + number, line_of(sent), NOON + sent.arrived * SECOND))
        consumers = [Lease(f"shard-{n}", records) for n, records in enumerate(shards)]
        aggregators = [Lease(f"stream-{n}", records) for n, records in enumerate(self.stream_shards)]
        self.services = (
            Kcl(consumers, self.house.consumer, self.touch),
            Kcl(aggregators, self.house.aggregator, self.touch),
        )
        self.carried = 0

    def touch(self, operation: str, moment: str) -> None:
        """Called before and after every operation on a table."""
        step = self.armed
        if step is None:
            return
        self.touches += 1
        if step.fault in {"crash", "meanwhile"}:
            # The aggregator touches its tables only a few times in a batch.
            if self.touches <= (step.fault_at if step.service == 0 else step.fault_at % 4):
                return
        elif operation != "counts.apply" or moment == (
            AFTER if step.fault == "conflict" or step.fault_at % 2 else BEFORE
        ):
            return
        self.armed = None
        if step.fault == "crash":
            raise CrashError
        if step.fault == "lost answer":
            raise ConnectionClosedError(endpoint_url="memory")
        if step.fault == "conflict":
            raise cancelled("TransactionConflict")
        if step.inner is not None:
            self.do(step.inner)

    def run(self, step: Step) -> None:
        """Do one step with its fault."""
        self.armed, self.touches = (None if step.fault == "none" else step), 0
        self.do(step)
        self.armed = None

    def do(self, step: Step) -> None:
        """Do one step."""
        service = self.services[step.service]
        match step.what:
            case "deliver":
                self.carry()
                service.deliver(step.shard, step.amount)
            case "zombie":
                self.carry()
                service.deliver_to_zombie(step.shard, step.amount)
            case "steal":
                service.steal(step.shard)
            case "take over":
                self.carry()
                service.steal(step.shard)
                service.deliver(step.shard, step.amount)
            case "restart":
                service.restart(step.shard)
            case "drain":
                service.drain(step.shard)
            case "wait":
                self.house.clock.now += step.amount**2
            case "cutoff":
                self.raise_cutoff(NOON + step.amount * 10 * SECOND)
            case _:
                self.prune(step.amount)

    def raise_cutoff(self, cutoff: int) -> None:
        """As a pass of the pruner does, before it deletes."""
        self.house.progress.publish(stream_time=cutoff - NOON + SILENT_UNTIL, cutoff=cutoff, held_back="", updated_at=0)

    def prune(self, most: int) -> None:
        """Delete some who were last seen before the cutoff."""
        cutoff = self.house.progress.cutoff().cutoff
        for player, row in list(self.house.players.idle(cutoff or 0, 0, 1))[:most]:
            self.house.players.delete(player, row)

    def carry(self) -> None:
        """PlayerState's stream: a player's changes lie in one shard, in order."""
        changes = self.house.players.stream
        for number in range(self.carried, len(changes)):
            player, data = changes[number]
            self.stream_shards[ord(player) % 2].append(record(5000 + number, data))
        self.carried = len(changes)

    def finish(self) -> None:
        """Deliver everything; a last pass at the last cutoff. May be called again."""
        self.services[0].finish()
        self.prune(most=100)
        self.carry()
        self.services[1].finish()


def line_of(sent: Sent) -> bytes:
    player, level, at = sent.event
    if sent.kind == "poison":
        return b"no event"
    return event_line(player, level, NOON + at * SECOND) if sent.kind == "level" else other_line(NOON + at * SECOND)
