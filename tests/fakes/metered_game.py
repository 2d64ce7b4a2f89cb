"""A game at a steady load on the services' own code, in memory and in fast motion; write units are counted by table.

    python -m tests.fakes.metered_game

prints the measured figures that docs/cost.md has beside the model's; it takes some minutes.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any, cast

import orjson
import structlog

from consumer.handler import ConsumerHandler
from consumer.handler import Parts as ConsumerParts
from headcount.cost import ours
from headcount.cost.bill import SECONDS
from headcount.cost.load import Load, Pace
from headcount.cost.parts import Choices
from headcount.dead_letters import DeadLetterTable
from headcount.event_stream import EventStream
from headcount.settings import Settings
from headcount.snowplow import EventReader
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from headcount.tables.schema import schemas
from level_aggregator.handler import AggregatorHandler
from level_aggregator.handler import Parts as AggregatorParts
from pruner.rate import Rate
from pruner.sweep import Sweep
from tests.fakes.clock import Clock
from tests.fakes.dynamodb import BEFORE, STATEMENT, MemoryDynamoDb
from tests.fakes.inline import InlineExecutor
from tests.fakes.lines import NOON, event_line
from tests.simulation.schedule import HASHES
from tests.simulation.services import MUTE
from tests.simulation.streams import MemoryKinesis, Stream, StreamShard

_WRITES = {"update_item", "put_item", "delete_item", STATEMENT}
_IDENTITY = "events@1"

MOST_PLAYERS, MOST_EVENTS = 400, 8000  # events: a minute, of all players
WARM_UP_SECONDS = 420  # until players leave as fast as they come


class _Metered(MemoryDynamoDb):
    """Counts write units; rows are below 1 kB."""

    def __init__(self, **more: Any) -> None:
        super().__init__(touch=self._counted, **more)
        self.units: Counter[str] = Counter()

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """Two units per item."""
        for item in TransactItems:
            self.units[item["Update"]["TableName"]] += 2
        return super().transact_write_items(TransactItems)

    def _counted(self, operation: str, table: str, moment: str) -> bool:
        if moment == BEFORE and operation in _WRITES:
            self.units[table] += 1
        return False


@dataclass
class _Reader:
    """A shard's processor, and how far it has read."""

    handler: ConsumerHandler | AggregatorHandler
    shard: StreamShard
    read: int = 0
    due_at: float = 0

    def turn(self, now: float, poll: float, *, slower_when_empty: bool) -> None:
        """Take what is there, if it is time."""
        if now < self.due_at:
            return
        records = self.shard.records[self.read :]
        self.read += len(records)
        self.handler.handle(records, caught_up=True)
        self.handler.settle(everything=False)
        self.due_at = now + (poll if records or not slower_when_empty else 2 * poll) - 1e-6


class MeteredGame:
    """All of ``load``'s events are level events; players move on, and leave, after any event with the same chance."""

    def __init__(self, load: Load, settings: Settings, seed: int = 1) -> None:
        self.load, self.settings, self._pace = load, settings, Pace.of(settings)
        self._rng = Random(seed)
        self.clock = Clock(NOON / 1000)
        self.client = _Metered(on_change=self._changed, wall=self.clock)
        for schema in schemas(settings):
            self.client.create_table(**schema.creation())
        self._events = Stream("events", load.kinesis_shards, self.clock)
        self._changes = Stream("changes", load.stream_shards, self.clock)
        self._born = 0
        self._levels = [f"level-{number}" for number in range(load.levels)]
        self._weights = [load.hot_level_share] + [(1 - load.hot_level_share) / (load.levels - 1)] * (load.levels - 1)
        self._players = [self._newcomer() for _ in range(round(load.playing))]
        self._prune_at = self.clock.now + self._pace.prune
        self._wire()

    def run(self, seconds: float) -> tuple[int, Counter[str]]:
        """Level events and write units by table of so many seconds."""
        before, events = self.client.units.copy(), 0
        poll, end = self._pace.poll, self.clock.now + seconds
        due = 0.0
        while self.clock.now < end:
            due += self.load.level_events * poll
            made, due = int(due), due % 1
            self._play(made)
            events += made
            self.clock.now += poll
            for reader in self._consumers:
                reader.turn(self.clock.now, poll, slower_when_empty=False)
            for reader in self._aggregators:
                reader.turn(self.clock.now, poll, slower_when_empty=True)
            if self.clock.now >= self._prune_at:
                self._sweep.run()
                self._prune_at = self.clock.now + self._pace.prune
        return events, self.client.units - before

    def _play(self, events: int) -> None:
        rng, load, begun = self._rng, self.load, self.clock.now * 1000
        moments = sorted(rng.random() for _ in range(events))
        for moment in moments:
            seat = rng.randrange(len(self._players))
            player, level = self._players[seat]
            at = round(begun + moment * self._pace.poll * 1000)
            key = hash_of(player) if load.stable_keys else rng.randrange(HASHES)
            self._events.put(key, event_line(player, level, at), at)
            if rng.random() < 1 / load.events_per_level:
                leaves = rng.random() < load.events_per_level / load.events_per_session
                self._players[seat] = self._newcomer() if leaves else (player, self._another(level))

    def _newcomer(self) -> tuple[str, str]:
        self._born += 1
        return f"{self._born:024x}", self._rng.choices(self._levels, self._weights)[0]

    def _another(self, level: str) -> str:
        while True:
            found = self._rng.choices(self._levels, self._weights)[0]
            if found != level:
                return found

    def _changed(self, table: str, key: tuple[str, ...], before: Any, after: Any) -> None:
        if table == self.settings.player_table:
            images = {"OldImage": before or {}, "NewImage": after or {}}
            data = orjson.dumps({"dynamodb": images})
            self._changes.put(hash_of(key[0]), data, round(self.clock.now * 1000))

    def _wire(self) -> None:
        settings, client = self.settings, cast("Any", self.client)
        players, progress = PlayerTable(client, settings.player_table), ProgressTable(client, settings.progress_table)
        counts = CountTables(client, settings.level_table, settings.transitions_table, 604_800)
        consuming = ConsumerParts(
            reader=EventReader(frozenset(), settings.context_schema, settings.player_field, settings.level_field),
            players=players,
            progress=progress,
            dead_letters=DeadLetterTable(client, settings.dead_letter_table),
            metrics=MUTE,
            writers=InlineExecutor(),
            refresh=settings.refresh_seconds,
            first_watermark=lambda _: None,
            wall=self.clock,
            monotonic=self.clock,
        )
        counting = AggregatorParts(counts, progress, MUTE, settings.idle_timeout_ms, self.clock, self.clock)
        self._consumers = [
            _Reader(ConsumerHandler(consuming, _IDENTITY, shard.shard_id), shard) for shard in self._events.open
        ]
        self._aggregators = [
            _Reader(AggregatorHandler(counting, "PlayerState@1", shard.shard_id), shard) for shard in self._changes.open
        ]
        # The readers of a fleet are not in step.
        for number, reader in enumerate([*self._consumers, *self._aggregators]):
            reader.handler.start(None)
            reader.due_at = self.clock.now + self._pace.poll * (1 + number % 3 / 3)
        kinesis: Any = MemoryKinesis(self._events)
        self._sweep = Sweep(
            settings,
            _IDENTITY,
            EventStream(kinesis, "events"),
            players,
            progress,
            Rate(1e9, self.clock, lambda _: None),
            wall=self.clock,
            pool=InlineExecutor,
        )


def hash_of(player: str) -> int:
    """Where the player's key lies among the shards: spread evenly, and the same in each run."""
    return Random(player).randrange(HASHES)


def modelled(load: Load, pace: Pace) -> dict[str, float]:
    """Write units per level event by table, of what is written in Python."""
    events = load.level_events * SECONDS
    return {
        line.what.removeprefix("writes: "): line.amount / events
        for line in ours.lines(load, pace, Choices())
        if line.price == "dynamodb_write" and not line.what.endswith("KCL")
    }


def main() -> None:
    """Print model and measurement: a fifth or less of the standard load, for ten minutes after a warm-up of seven."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.stdout.write(
        "| events a minute and player | keys | refresh | PlayerState: model | measured | all: model | measured |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
    )
    for rate, stable, refresh in product((12, 20, 60), (True, False), (60, 120)):
        players = min(MOST_PLAYERS, MOST_EVENTS // rate)
        load = Load(
            players * rate / 60,
            2 * players,
            shards=4,
            level_share=1,
            events_per_minute_and_player=rate,
            stable_keys=stable,
        )
        settings = Settings(refresh_seconds=refresh)
        game = MeteredGame(load, settings)
        game.run(WARM_UP_SECONDS)
        made, units = game.run(600)
        model = modelled(load, Pace.of(settings))
        sys.stdout.write(
            f"| {rate} | {'stable' if stable else 'random'} | {refresh} s | {model['PlayerState']:.3f} | "
            f"{units['PlayerState'] / made:.3f} | {sum(model.values()):.3f} | {units.total() / made:.3f} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
