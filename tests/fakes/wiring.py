"""Both handlers, wired to tables in memory."""

from dataclasses import dataclass, field

from consumer.handler import ConsumerHandler
from consumer.handler import Parts as ConsumerParts
from headcount.metrics import AggregatorMetrics, ConsumerMetrics
from headcount.rules import MINUTE_MS
from headcount.snowplow import EventReader
from level_aggregator.handler import AggregatorHandler
from level_aggregator.handler import Parts as AggregatorParts
from tests.fakes.clock import Clock
from tests.fakes.counts import MemoryCounts
from tests.fakes.hooks import Hook, no_hook
from tests.fakes.inline import InlineExecutor
from tests.fakes.letters import MemoryDeadLetters
from tests.fakes.players import MemoryPlayers
from tests.fakes.progress import MemoryProgress

STREAM = "events@1"
IDLE_MS = 5 * MINUTE_MS


@dataclass
class House:
    """All tables, one clock, and the handlers that work on them."""

    hook: Hook = no_hook
    refresh: float = 60.0
    clock: Clock = field(default_factory=Clock)
    metrics: ConsumerMetrics = field(default_factory=ConsumerMetrics)
    aggregator_metrics: AggregatorMetrics = field(default_factory=AggregatorMetrics)

    def __post_init__(self) -> None:
        """Make the tables."""
        self.players = MemoryPlayers(self.hook)
        self.progress = MemoryProgress(self.hook)
        self.counts = MemoryCounts(self.hook)
        self.letters = MemoryDeadLetters(self.hook)
        self.consumer_parts = ConsumerParts(
            reader=EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug"),
            players=self.players,
            progress=self.progress,
            dead_letters=self.letters,
            metrics=self.metrics,
            writers=InlineExecutor(),
            refresh=self.refresh,
            first_watermark=lambda _: None,
            wall=self.clock,
            monotonic=self.clock,
        )
        self.aggregator_parts = AggregatorParts(
            counts=self.counts,
            progress=self.progress,
            metrics=self.aggregator_metrics,
            idle_timeout_ms=IDLE_MS,
            wall=self.clock,
            monotonic=self.clock,
            sleep=self.clock.sleep,
        )

    def consumer(self, shard: str) -> ConsumerHandler:
        """A new process for a shard of the events."""
        return ConsumerHandler(self.consumer_parts, STREAM, shard)

    def aggregator(self, shard: str) -> AggregatorHandler:
        """A new process for a shard of PlayerState's stream."""
        return AggregatorHandler(self.aggregator_parts, "PlayerState@1", shard)
