"""What the map says it is as of: all that had arrived by then is counted, in whatever order the services work."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from game_map.marks import AsOf, counted_by, written_by
from headcount.model import Progress

SHARDS = 2


@dataclass
class Pipeline:
    """Events on their way: arrived, written (a change each), counted. Times are a clock's ticks."""

    now: int = 1000
    arrived: list[list[int]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])  # when, by shard
    unread: list[list[int]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])
    consumers: list[Progress] = field(default_factory=lambda: [Progress() for _ in range(SHARDS)])
    changes: list[list[tuple[int, int]]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])  # made, arrived
    aggregators: list[Progress] = field(default_factory=lambda: [Progress() for _ in range(SHARDS)])
    counted: list[int] = field(default_factory=list)  # arrivals

    def arrive(self, shard: int) -> None:
        """One more event."""
        self.arrived[shard].append(self.now)
        self.unread[shard].append(self.now)

    def consume(self, shard: int, count: int, target: int) -> None:
        """Write so many of a shard's events, into a shard of PlayerState's stream, and say so a tick later."""
        taken, self.unread[shard] = self.unread[shard][:count], self.unread[shard][count:]
        self.changes[target] += [(self.now, at) for at in taken]
        self.now += 1
        was = self.consumers[shard]
        seen = self.now - 1 if not self.unread[shard] else was.seen_at
        arrived = taken[-1] if taken else was.arrived_at
        self.consumers[shard] = Progress(arrived_at=arrived, seen_at=seen, updated_at=self.now)

    def count(self, shard: int, count: int) -> None:
        """Count so many of a shard's changes; only where there are none is it seen to be silent."""
        taken, self.changes[shard] = self.changes[shard][:count], self.changes[shard][count:]
        self.counted += [at for _, at in taken]
        was = self.aggregators[shard]
        seen = self.now - 1 if not self.changes[shard] and not taken else was.seen_at
        arrived = taken[-1][0] if taken else was.arrived_at
        self.aggregators[shard] = Progress(arrived_at=arrived, seen_at=seen)


shards, few = st.integers(0, SHARDS - 1), st.integers(0, 3)
steps = st.one_of(
    st.tuples(st.just("arrive"), shards),
    st.tuples(st.just("consume"), shards, few, shards),
    st.tuples(st.just("count"), shards, few),
    st.tuples(st.just("look")),
)


@settings(deadline=None)
@given(st.lists(steps, max_size=60))
def test_everything_that_had_arrived_by_then_is_counted(script: list[tuple[object, ...]]) -> None:
    pipeline, as_of, known = Pipeline(), AsOf(), 0
    for name, *arguments in [*script, ("look",)]:
        pipeline.now += 1
        if name == "look":
            told = as_of.look(written_by(pipeline.consumers), counted_by(pipeline.aggregators))
            if told is not None:
                assert told >= known, "never goes back"
                known = told
                due = [at for shard in pipeline.arrived for at in shard if at <= told]
                assert sorted(due) == sorted(at for at in pipeline.counted if at <= told)
        else:
            getattr(pipeline, str(name))(*arguments)


def test_once_all_is_read_and_counted_it_comes_to_the_newest_event() -> None:
    pipeline, as_of = Pipeline(), AsOf()
    pipeline.arrive(0)
    at = pipeline.now
    for shard in range(SHARDS):
        pipeline.consume(shard, 1, 0)
    assert as_of.look(written_by(pipeline.consumers), counted_by(pipeline.aggregators)) is None
    pipeline.count(0, 1)
    pipeline.now += 5
    for shard in range(SHARDS):
        pipeline.count(shard, 1)
    told = as_of.look(written_by(pipeline.consumers), counted_by(pipeline.aggregators))
    assert told is not None
    assert told >= at
