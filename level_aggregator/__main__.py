"""The level aggregator: supervises the KCL daemon that reads PlayerState's stream. ``python -m level_aggregator``."""

from prometheus_client import CollectorRegistry

from headcount.aws import Aws, verify_table_stream, verify_tables
from headcount.companion import Companion
from headcount.kcl.service import Service
from headcount.kcl.supervisor import supervise
from headcount.lifecycle import Stop
from headcount.metrics import GapMetrics
from headcount.service import run_service
from headcount.settings import Settings
from headcount.table_stream import TableStream
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from level_aggregator.gap_watch import GapParts, GapWatch
from level_aggregator.level_watch import companions


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    arn, identity = verify_table_stream(aws.at_start(), settings.player_table)
    tables = (settings.player_table, settings.level_table, settings.transitions_table, settings.progress_table)
    verify_tables(aws.at_start(), settings, tables)
    application = f"{settings.application}-level-aggregator"
    registry = CollectorRegistry()
    parts = GapParts(
        identity=str(identity),
        application=application,
        stream=TableStream(aws.streams, arn),
        client=aws.dynamodb,
        players=PlayerTable(aws.dynamodb, settings.player_table),
        counts=CountTables(
            aws.dynamodb, settings.level_table, settings.transitions_table, settings.transitions_retention_seconds
        ),
        progress=ProgressTable(aws.dynamodb, settings.progress_table),
        metrics=GapMetrics(registry),
    )
    watch = GapWatch(parts)
    service = Service(
        name="level_aggregator",
        application=application,
        stream=arn,
        identity=str(identity),
        worker_module="level_aggregator.worker",
        initial_position="TRIM_HORIZON",  # a change not counted is a count that is wrong
        tables=tables,
        companions=(Companion("gap-watch", watch.turn, registry), *companions(settings, aws)),
        gate=watch,
    )
    return supervise(service, settings, aws, stop)


if __name__ == "__main__":
    run_service("level_aggregator", main)
