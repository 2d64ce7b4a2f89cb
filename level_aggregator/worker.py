"""The level aggregator's worker process, one per shard: wires the parts together. Started by the KCL daemon."""

import sys

from headcount.aws import Aws, verify_table_stream
from headcount.environment import load_settings
from headcount.kcl.worker import run_worker
from headcount.metrics import AggregatorMetrics
from headcount.table_stream import TableStream
from headcount.tables.counts import CountTables
from headcount.tables.progress import ProgressTable
from level_aggregator.handler import AggregatorHandler, Parts


def main() -> None:
    """Serve one shard of the stream of the table named ``table@created`` by the only argument."""
    identity = sys.argv[1]
    settings = load_settings()
    aws = Aws(settings.aws_region)
    stream = TableStream(aws.streams, verify_table_stream(aws, settings.player_table)[0])
    parts = Parts(
        counts=CountTables(
            aws.dynamodb, settings.level_table, settings.transitions_table, settings.transitions_retention_seconds
        ),
        progress=ProgressTable(aws.dynamodb, settings.progress_table),
        metrics=AggregatorMetrics(),
        idle_timeout_ms=settings.idle_timeout_ms,
        is_lost=stream.is_lost,
        spent=aws.spending.units,
    )
    run_worker("level_aggregator", settings, lambda shard: AggregatorHandler(parts, identity, shard))


if __name__ == "__main__":
    main()
