"""The level aggregator: supervises the KCL daemon that reads PlayerState's stream. ``python -m level_aggregator``."""

from headcount.aws import Aws, verify_table_stream, verify_tables
from headcount.kcl.supervisor import Service, supervise
from headcount.lifecycle import Stop
from headcount.service import run_service
from headcount.settings import Settings
from level_aggregator.level_watch import companions


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    arn, identity = verify_table_stream(aws.at_start(), settings.player_table)
    tables = (settings.player_table, settings.level_table, settings.transitions_table, settings.progress_table)
    verify_tables(aws.at_start(), tables)
    service = Service(
        name="level_aggregator",
        application=f"{settings.application}-level-aggregator",
        stream=arn,
        identity=str(identity),
        worker_module="level_aggregator.worker",
        initial_position="TRIM_HORIZON",  # a change not counted is a count that is wrong
        tables=tables,
        companions=companions(settings, aws),
    )
    return supervise(service, settings, aws, stop)


if __name__ == "__main__":
    run_service("level_aggregator", main)
