"""The three services' own code, wired to a world's tables, streams and clocks."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import level_aggregator.handler
from consumer.handler import ConsumerHandler
from consumer.handler import Parts as ConsumerParts
from consumer.worker import parents_least_watermark
from headcount.dead_letters import DeadLetterTable
from headcount.event_stream import EventStream
from headcount.kcl.processor import Handler
from headcount.snowplow import EventReader
from headcount.tables.counts import MOST_ITEMS
from level_aggregator.handler import AggregatorHandler
from level_aggregator.handler import Parts as AggregatorParts
from pruner.rate import Rate
from pruner.sweep import Sweep
from tests.fakes.inline import InlineExecutor
from tests.simulation.records import TABLE_IDENTITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.world import World


class _Mute:
    """Metrics that nobody reads: they would take a third of a run's time."""

    def __getattr__(self, _name: str) -> Any:
        return self

    def __call__(self, *_arguments: object, **_labels: object) -> Any:
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        return None


MUTE: Any = _Mute()


class Services:
    """Makes processes' handlers and pruners' passes."""

    def __init__(self, world: World, identity: str) -> None:
        self._world, self._identity = world, identity
        self._skews = cycle(world.schedule.config.skews)
        kinesis: Any = world.kinesis
        self._stream = EventStream(kinesis, world.events.name)
        self._client: Any = world.client

    def consumer(self) -> Callable[[str], Handler]:
        """For one more consumer process, on a machine with a clock of its own."""
        world, skew = self._world, next(self._skews)
        parts = ConsumerParts(
            reader=EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug"),
            players=world.players,
            progress=world.progress,
            dead_letters=DeadLetterTable(
                self._client,
                world.settings.dead_letter_table,
                world.settings.dead_letter_retention_seconds,
                wall=lambda: world.clock.now + skew,
            ),
            metrics=MUTE,
            writers=InlineExecutor(),
            refresh=world.settings.refresh_seconds,
            first_watermark=parents_least_watermark(self._stream, world.progress, self._identity),
            poison_limit=world.poison_limit,
            pushed=world.schedule.config.pushed,
            wall=lambda: world.clock.now + skew,
            monotonic=world.clock,
        )
        return lambda shard: ConsumerHandler(parts, self._identity, shard)

    def aggregator(self) -> Callable[[str], Handler]:
        """For one more process of the level aggregator."""
        world = self._world
        parts = AggregatorParts(
            counts=world.counts,
            progress=world.progress,
            metrics=MUTE,
            idle_timeout_ms=world.settings.idle_timeout_ms,
            wall=world.clock,
            monotonic=world.clock,
            sleep=world.wait,
            is_lost=world.losses.stream.is_lost,
        )
        # A batch is rarely so long here.
        vars(level_aggregator.handler)["MOST_ITEMS"] = world.schedule.config.most_items or MOST_ITEMS
        return lambda shard: AggregatorHandler(parts, TABLE_IDENTITY, shard)

    def sweep(self, number: int) -> Sweep:
        """A pass of one of several pruners."""
        world, skews = self._world, self._world.schedule.config.skews
        skew = skews[number % len(skews)]
        return Sweep(
            world.settings,
            self._identity,
            self._stream,
            world.players,
            world.progress,
            Rate(1e9, world.clock, lambda _: None),
            wall=lambda: world.clock.now + skew,
            pool=InlineExecutor,
        )
