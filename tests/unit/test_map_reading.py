"""What one look at the tables reads, and how often; what the loop says where looks fail."""

from dataclasses import dataclass, field
from typing import cast

from botocore.exceptions import EndpointConnectionError

from game_map.board import MINUTE, Board
from game_map.loop import BLIND_SECONDS, STILL_SECONDS, Loop
from game_map.reading import LIST_SECONDS, MINUTES, Parts, Reading
from headcount.event_stream import EventStream
from headcount.lifecycle import Stop
from headcount.lineage import Listing, StreamShard
from headcount.metrics import MapMetrics
from headcount.model import LevelCount, Position, Progress, Transition
from headcount.rules import Shard
from headcount.table_stream import TableStream
from tests.fakes.clock import Clock
from tests.fakes.counts import MemoryCounts
from tests.fakes.inline import InlineExecutor
from tests.fakes.progress import MemoryProgress

CONSUMERS, AGGREGATORS = "consumer/events@1/", "level_aggregator/PlayerState@1/"


@dataclass
class Streams:
    """Stands for both streams: shards as they are listed, and how often they were."""

    events: list[Shard] = field(default_factory=lambda: [Shard("shard-1", (), closed=False)])
    changes: list[StreamShard] = field(default_factory=lambda: [StreamShard("a")])
    looks: int = 0

    def shards(self) -> list[Shard]:
        """Of the events'."""
        self.looks += 1
        return self.events

    def listing(self) -> Listing:
        """Of PlayerState's."""
        return Listing(tuple(self.changes))


class Counts(MemoryCounts):
    """Notes which minutes are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.minutes: list[int] = []

    def transitions_of(self, period: int) -> dict[tuple[str | None, str | None], int]:
        """As the real one."""
        self.minutes.append(period)
        return super().transitions_of(period)


class Town:
    """Tables in memory, and a reading of them."""

    def __init__(self) -> None:
        self.clock, self.streams, self.progress, self.counts = Clock(), Streams(), MemoryProgress(), Counts()
        parts = Parts(
            events=cast("EventStream", self.streams),
            changes=cast("TableStream", self.streams),
            consumers=CONSUMERS,
            aggregators=AGGREGATORS,
            progress=self.progress,
            counts=self.counts,
            readers=InlineExecutor(),
            wall=self.clock,
            monotonic=self.clock,
        )
        self.reading = Reading(parts)

    def looked_at(self) -> set[int]:
        """One look, a second later: the minutes that it read, by how long ago they are."""
        self.clock.now += 1
        self.counts.minutes.clear()
        self.reading.look()
        newest = int(self.clock.now) // MINUTE
        return {newest - period // MINUTE for period in self.counts.minutes}


def test_counts_moves_and_as_of() -> None:
    town = Town()
    minute = int(town.clock.now) // MINUTE * MINUTE
    town.counts.entered.update({"forest": 3, "cave": 1})
    town.counts.left.update({"forest": 1})
    town.counts.made.update({Transition(minute, None, "forest"): 2, Transition(minute - 60, "forest", "cave"): 1})
    town.progress.put(CONSUMERS + "shard-1", Progress(Position(1), arrived_at=500, updated_at=600))
    town.progress.put(AGGREGATORS + "a", Progress(Position(1), seen_at=601))

    board = town.reading.look()
    assert board.players == {"forest": 2, "cave": 1}
    assert board.moves_since(minute - 60) == {(None, "forest"): 2, ("forest", "cave"): 1}
    assert board.moves_since(minute) == {(None, "forest"): 2}
    assert (board.version, board.as_of) == (round(town.clock.now * 1000), 500)


def test_what_is_counted_while_a_look_is_under_way_is_among_its_moves_before_it_is_in_its_counts() -> None:
    town = Town()
    counts, levels_now = town.counts, town.counts.levels

    def levels() -> dict[str, LevelCount]:
        found = levels_now()
        town.clock.now += MINUTE  # the look lasts, and another minute begins
        minute = int(town.clock.now) // MINUTE * MINUTE
        counts.entered["forest"] = counts.made[Transition(minute, None, "forest")] = 1
        return found

    counts.levels = levels  # type: ignore[method-assign] # players move as soon as they were counted
    board = town.reading.look()
    assert board.players == {}
    assert board.moves_since(0) == {(None, "forest"): 1}


def test_all_minutes_at_first_then_this_one_the_last_one_and_an_older_one_in_turn() -> None:
    town = Town()
    town.clock.now = town.clock.now // MINUTE * MINUTE - 1
    assert town.looked_at() == set(range(MINUTES))
    turns = [town.looked_at() for _ in range(MINUTE - 1)]
    assert all({0, 1} < minutes and len(minutes) == 3 for minutes in turns)
    assert set().union(*turns) == set(range(MINUTES)), "each within a minute"
    assert town.looked_at() >= {0, 1}, "a new minute has begun"


def test_shards_are_listed_now_and_then() -> None:
    town = Town()
    for _ in range(2 * round(LIST_SECONDS)):
        town.reading.look()
        town.clock.now += 1
    assert town.streams.looks == 2


class Failing:
    """A reading that fails, or goes through."""

    fails = True

    def look(self) -> Board:
        """An empty board."""
        if self.fails:
            raise EndpointConnectionError(endpoint_url="http://nowhere")
        return Board(5, as_of=3)


def test_looks_that_fail_make_it_unready_and_are_made_again() -> None:
    clock, reading, shown, stop = Clock(), Failing(), list[Board](), Stop()
    loop = Loop(cast("Reading", reading), shown.append, MapMetrics(), stop, clock)
    assert not loop.healthy().problems
    assert loop.ready().problems, "nothing was read yet"

    def one_look() -> None:
        stop_after = Stop()
        stop_after.is_asked = iter([False, True]).__next__  # type: ignore[method-assign] # ends the loop after one turn
        stop_after.wait = lambda seconds: True  # type: ignore[method-assign] # noqa: ARG005 # nor does it sleep
        loop._stop = stop_after
        loop.run()

    one_look()
    assert shown == []
    assert "nowhere" in loop.ready().problems[0]
    reading.fails = False
    one_look()
    assert shown == [Board(5, as_of=3)]
    assert not loop.ready().problems
    reading.fails = True
    one_look()
    clock.now += BLIND_SECONDS / 2
    assert not loop.ready().problems, "one look missed is no matter"
    clock.now += BLIND_SECONDS
    assert loop.ready().problems
    clock.now += STILL_SECONDS
    assert loop.healthy().problems
