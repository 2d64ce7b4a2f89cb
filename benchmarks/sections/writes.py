"""How many writes of PlayerState a level event costs, in the game's own time."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, cast

from benchmarks import load
from benchmarks.results import Chart, Findings, Sense
from headcount.model import LevelEvent
from tests.fakes.wiring import House

if TYPE_CHECKING:
    from benchmarks.places import Size
    from headcount.model import Record
    from headcount.snowplow import EventReader

PLAYERS, VISITS = 400, 3
POLL_SECONDS = 0.5  # HEADCOUNT_POLL_MILLISECONDS' default
REFRESHES, RATES = (60.0, 120.0), (12, 20, 60)
METHOD = f"""In one process, with the handlers of the consumer over tables in memory that pass the contract suite,
and one clock that is the game's: {PLAYERS} players play {VISITS} whole levels of 100 level events each, at r of
them a minute; four handlers, one per shard, are each given every {POLL_SECONDS:g} s what arrived, and settle as the
worker has them. All writes count, those whose condition failed too, from the first event to a drain. The baseline
is 1 by construction. What a player costs does not depend on the others, so {PLAYERS} do."""


@dataclass(frozen=True)
class Case:
    """``per_minute``: a player's level events; ``refresh`` in seconds; ``stable``: keys by player."""

    per_minute: int
    refresh: float
    stable: bool

    @property
    def name(self) -> str:
        """For tables."""
        return f"{'stable' if self.stable else 'random'} keys, refresh {self.refresh:.0f} s, r = {self.per_minute}"


class TokenReader:
    """Stands for the reader of events: a record's data is its event's number. Reading TSV is another section's."""

    def __init__(self, moments: list[load.Moment]) -> None:
        self._moments = moments

    def read(self, data: bytes) -> LevelEvent:
        """The event."""
        moment = self._moments[int(data)]
        return LevelEvent(load.player_id(moment.player), load.level_id(moment.level or 0), moment.at)


@dataclass(frozen=True)
class Cost:
    """What all events cost, in writes of each table."""

    events: int
    written: int
    failed: int
    progress: int

    @property
    def per_event(self) -> float:
        """Writes of PlayerState, failed conditions included."""
        return (self.written + self.failed) / self.events


def play(case: Case, players: int) -> Cost:
    """Play a game and count."""
    shape = replace(load.STANDARD, players=players, per_minute=case.per_minute)
    moments = [one for one in load.moments(shape, 0, visits=VISITS) if one.level is not None]
    rng = random.Random(shape.seed)
    house = House(refresh=case.refresh)
    reader = cast("EventReader", TokenReader(moments))
    house.consumer_parts = replace(house.consumer_parts, reader=reader)
    handlers = [house.consumer(f"shard-{shard}") for shard in range(load.SHARDS)]
    for handler in handlers:
        handler.start(None)
    waiting: list[list[Record]] = [[] for _ in handlers]
    house.clock.now = now = load.BEGIN_MS / 1000
    for number, moment in enumerate(moments):
        arrived_at = moment.at + load.PIPELINE_MS
        while arrived_at / 1000 > now + POLL_SECONDS:
            now += POLL_SECONDS
            house.clock.now = now
            for shard, handler in enumerate(handlers):
                handler.handle(waiting[shard], caught_up=False)
                handler.settle(everything=False)
                waiting[shard] = []
        shard = load.shard_of(moment, rng, stable=case.stable)
        waiting[shard].append(load.record(b"%d" % number, number + 1, arrived_at))
    for shard, handler in enumerate(handlers):
        handler.handle(waiting[shard], caught_up=False)
        handler.settle(everything=True)
    results = {"written": 0, "stale": 0}
    for metric in house.metrics.writes.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                results[sample.labels["result"]] += round(sample.value)
    moves = sum(map(len, house.progress.history.values()))
    return Cost(len(moments), results["written"], results["stale"], moves)


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("Writes of PlayerState per level event", METHOD)
    players = max(40, size.of(PLAYERS))
    reached: dict[Case, float] = {}
    for stable, refresh, per_minute in product((True, False), REFRESHES, RATES):
        case = Case(per_minute, refresh, stable)
        cost = play(case, players)
        note = f"{cost.written} written, {cost.failed} conditions failed, of {cost.events} level events"
        reached[case] = found.figure(case.name, "", cost.per_event, note)
    limits = {Case(20, 60.0, True): 0.065, Case(20, 60.0, False): 0.25, Case(20, 120.0, False): 0.15}
    for case, limit in limits.items():
        value = reached[case]
        found.target(f"writes per level event, {case.name}", Sense.MOST, limit, value, "", 1 / value)
    series = {
        f"{'stable' if stable else 'random'} keys, refresh {refresh:.0f} s": tuple(
            reached[Case(per_minute, refresh, stable)] for per_minute in RATES
        )
        for stable, refresh in product((True, False), REFRESHES)
    }
    labels = tuple(f"r = {per_minute}" for per_minute in RATES)
    found.charts.append(Chart("writes", "Writes of PlayerState per level event (baseline 1)", labels, series))
    return found
