"""How many writes of PlayerState a level event costs, in the game's own time."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, cast

from benchmarks import load
from benchmarks.results import Chart, Findings, Sense
from headcount.model import IgnoredEvent, IgnoredReason, LevelEvent, Record
from tests.fakes.wiring import House

if TYPE_CHECKING:
    from benchmarks.places import Size
    from headcount.snowplow import EventReader

PLAYERS, VISITS = 400, 3
POLL_SECONDS = 0.5  # HEADCOUNT_POLL_MILLISECONDS' default
REFRESHES, RATES = (60.0, 120.0), (12, 20, 60)
FULL_RATE, FULL_SECONDS, FULL_WARM = 1000.0, 500.0, 150.0
METHOD = f"""In one process, with the handlers of the consumer over tables in memory that pass the contract suite,
and one clock that is the game's: {PLAYERS} players play {VISITS} whole levels of 100 level events each, at r of
them a minute; four handlers, one per shard, are each given every {POLL_SECONDS:g} s what arrived, and settle as the
worker has them. All writes count, those whose condition failed too, from the first event to a drain. The baseline
is 1 by construction. What a player costs does not depend on the others, so {PLAYERS} do, as long as fewer than
50,000 records of a shard wait for their players' renewals. More do on a full shard, 1,000 events a second, at a
refresh of 60 s: one handler is given {FULL_SECONDS:.0f} s of that, of which the first {FULL_WARM:.0f} do not count."""


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

    def read(self, data: bytes) -> LevelEvent | IgnoredEvent:
        """The event."""
        moment = self._moments[int(data)]
        if moment.level is None:
            return IgnoredEvent(moment.at, IgnoredReason.NO_CONTEXT)
        return LevelEvent(load.player_id(moment.player), load.level_id(moment.level), moment.at)


@dataclass(frozen=True)
class Cost:
    """What all events cost, in writes of each table."""

    events: int
    written: int
    failed: int

    @property
    def per_event(self) -> float:
        """Writes of PlayerState, failed conditions included."""
        return (self.written + self.failed) / self.events

    @property
    def told(self) -> str:
        """For the report."""
        return f"{self.written} written, {self.failed} conditions failed, of {self.events} level events"


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
    written, failed = _writes(house)
    return Cost(len(moments), written, failed)


def play_full(seconds: float, warm: float) -> Cost:
    """The standard load on one shard that it fills, after ``warm`` seconds of it."""
    shape = replace(load.STANDARD, players=round(load.STANDARD.players * FULL_RATE / load.STANDARD.events_per_second))
    moments = load.moments(shape, seconds)
    house = House()
    house.consumer_parts = replace(house.consumer_parts, reader=cast("EventReader", TokenReader(moments)))
    handler = house.consumer("shard-0")
    handler.start(None)
    now, waiting, events, before = load.BEGIN_MS / 1000, list[Record](), 0, (0, 0)
    for number, moment in enumerate(moments):
        arrived_at = moment.at + load.PIPELINE_MS
        while arrived_at / 1000 > now + POLL_SECONDS:
            house.clock.now = now = now + POLL_SECONDS
            handler.handle(waiting, caught_up=False)
            handler.settle(everything=False)
            waiting = []
            if now - load.BEGIN_MS / 1000 <= warm:
                events, before = 0, _writes(house)
        waiting.append(load.record(b"%d" % number, number + 1, arrived_at))
        events += moment.level is not None
    written, failed = _writes(house)
    return Cost(events, written - before[0], failed - before[1])


def _writes(house: House) -> tuple[int, int]:
    """So many were made, and of so many the condition failed."""
    results = {"written": 0, "stale": 0}
    for metric in house.metrics.writes.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                results[sample.labels["result"]] += round(sample.value)
    return results["written"], results["stale"]


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("Writes of PlayerState per level event", METHOD)
    players = max(40, size.of(PLAYERS))
    reached: dict[Case, float] = {}
    for stable, refresh, per_minute in product((True, False), REFRESHES, RATES):
        case = Case(per_minute, refresh, stable)
        cost = play(case, players)
        reached[case] = found.figure(case.name, "", cost.per_event, cost.told)
    full = play_full(FULL_SECONDS * size.share, FULL_WARM * size.share)
    each = found.figure("one full shard, stable keys, refresh 60 s, r = 20", "", full.per_event, full.told)
    found.target("writes per level event, one full shard, stable keys, refresh 60 s", Sense.MOST, 0.065, each, "")
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
