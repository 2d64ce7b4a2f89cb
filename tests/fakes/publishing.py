"""A publisher of snapshots with a game, a bucket and a clock of its own, all in memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import orjson
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from game_map.board import Blur
from game_map.publication import DECISION, Bucket
from game_map.publisher import Publisher, Sources
from game_map.snapshots import LEVELS, TRANSITIONS
from headcount.lifecycle import Stop
from headcount.metrics import MapMetrics
from headcount.model import Transition
from tests.fakes.clock import Clock
from tests.fakes.counts import MemoryCounts
from tests.fakes.objects import MemoryObjects
from tests.fakes.table_stream import MemoryStreamClient, memory_stream

if TYPE_CHECKING:
    from game_map.board import Move

BUCKET, INTERVAL, LONG = "snapshots", 60.0, 1.0  # LONG: more than one look takes


class Steps(Stop):
    """Lets the time pass while somebody waits, and is asked for after ``seconds``."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock, self._ends = clock, clock() + seconds

    def wait(self, seconds: float) -> bool:
        """Let it pass."""
        self._clock.sleep(seconds)
        return self._clock() > self._ends


class Held:
    """The lease."""

    is_held = True


class World:
    """A game that moves players as the level aggregator's transactions do, and the bucket."""

    def __init__(self) -> None:
        self.clock, self.counts, self.bucket = Clock(1_800_000_000.0), MemoryCounts(), MemoryObjects()
        self.stream = MemoryStreamClient(clock=self.clock)
        self.shard = self.stream.begin("shard-1")
        self.made: Counter[Move] = Counter()

    def move(self, source: str | None, target: str | None, count: int = 1) -> None:
        """So many players."""
        transition = Transition(int(self.clock()) // 60 * 60, source, target)
        before = self.counts.made[transition]
        self.counts.made[transition] += count
        self.counts.left.update({source: count} if source else {})
        self.counts.entered.update({target: count} if target else {})
        self.made[source, target] += count
        levels = {"levelFrom": source, "levelTo": target}
        row = {name: {"S": level} for name, level in levels.items() if level}
        images = {"OldImage": before, "NewImage": before + count}
        change = {name: {**row, "transitionCount": {"N": str(made)}} for name, made in images.items() if made}
        self.stream.append(self.shard, change)

    def updates(self) -> list[str]:
        """Their ids, in the order of their decisions, which are numbered."""
        decisions = self._put(DECISION)
        assert [decision["number"] for decision in decisions] == list(range(1, len(decisions) + 1))
        return [decision["update_id"] for decision in decisions]

    def moves(self) -> list[dict[Move, int]]:
        """Of each update that was put, once."""
        told = {update["update_id"]: update["transitions"] for update in self._put(TRANSITIONS)}
        return [{(one.get("from"), one.get("to")): one["count"] for one in update} for update in told.values()]

    def levels(self) -> dict[str, int]:
        """Of the newest update."""
        newest: dict[str, int] = self._put(LEVELS)[-1]["level_player_counts"]
        return newest

    def _put(self, name: str) -> list[dict[str, Any]]:
        return [orjson.loads(body) for key, body in self.bucket.puts if key == name]


class Replica:
    """A publisher, and what its metrics say."""

    def __init__(self, world: World, identity: str = "Transitions@1") -> None:
        self.lease, self._registry, self._clock = Held(), CollectorRegistry(), world.clock
        stream = memory_stream(world.stream)
        sources = Sources(world.counts, stream, identity, Blur(), INTERVAL, world.clock)
        bucket = Bucket(cast("Any", world.bucket), BUCKET, "", 60)
        self._publisher = Publisher(sources, bucket, cast("Any", self.lease), MapMetrics(self._registry))

    def run(self, seconds: float = LONG) -> list[Any]:
        """Let it run so long; what it logged."""
        with capture_logs() as lines:
            self._publisher.run(Steps(self._clock, seconds))
        return lines

    def results(self) -> tuple[float | None, float | None]:
        """Snapshots: published, failed."""
        name = "headcount_map_snapshots_total"
        ok, failed = (self._registry.get_sample_value(name, {"result": result}) for result in ("ok", "failed"))
        return ok, failed
