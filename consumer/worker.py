"""The consumer's worker process, one per shard: wires the parts together. Started by the KCL daemon."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from consumer.handler import ConsumerHandler, Parts
from consumer.poison_limit import PoisonLimit
from headcount.aws import WRITE_THREADS, Aws
from headcount.dead_letters import dead_letters
from headcount.environment import load_settings
from headcount.event_stream import EventStream
from headcount.kcl.worker import run_worker
from headcount.metrics import ConsumerMetrics
from headcount.rules import first_watermark
from headcount.snowplow import EventReader
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable

if TYPE_CHECKING:
    from collections.abc import Callable


def parents_least_watermark(stream: EventStream, progress: ProgressTable, identity: str) -> Callable[[str], int | None]:
    """How a new shard learns where its watermark begins (rule 6)."""

    def found(shard_id: str) -> int | None:
        shard = stream.shard(shard_id)
        return first_watermark(shard, progress.read_all(f"consumer/{identity}/")) if shard else None

    return found


def main() -> None:
    """Serve one shard of the stream named ``name@created`` by the only argument."""
    identity = sys.argv[1]
    settings = load_settings()
    aws = Aws(settings.aws_region)
    stream = EventStream(aws.kinesis, settings.events_stream)
    progress = ProgressTable(aws.dynamodb, settings.progress_table)

    pushed = settings.enhanced_fan_out
    parts = Parts(
        reader=EventReader(settings.app_ids, settings.context_schema, settings.player_field, settings.level_field),
        players=PlayerTable(aws.dynamodb, settings.player_table),
        progress=progress,
        dead_letters=dead_letters(settings, aws.dynamodb),
        metrics=ConsumerMetrics(),
        writers=ThreadPoolExecutor(WRITE_THREADS),
        refresh=settings.refresh_seconds,
        first_watermark=parents_least_watermark(stream, progress, identity),
        poison_limit=PoisonLimit(settings.poison_run_limit, settings.poison_percent_limit),
        pushed=pushed,
        spent=aws.spending.units,
    )
    run_worker("consumer", settings, lambda shard: ConsumerHandler(parts, identity, shard), pushed=pushed)


if __name__ == "__main__":
    main()
