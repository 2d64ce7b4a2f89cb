"""The consumer: supervises the KCL daemon that reads the events' stream. ``python -m consumer``."""

from headcount.aws import Aws, verify_stream, verify_tables
from headcount.kcl.supervisor import Service, Supervisor
from headcount.lifecycle import Stop
from headcount.service import run_service
from headcount.settings import Settings


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    identity = verify_stream(aws, settings.events_stream)
    tables = [settings.player_table, settings.progress_table]
    if settings.dead_letter_directory is None:
        tables.append(settings.dead_letter_table)
    verify_tables(aws, tables)
    service = Service(
        name="consumer",
        application=f"{settings.application}-consumer",
        stream=settings.events_stream,
        identity=str(identity),
        worker_module="consumer.worker",
        initial_position=settings.initial_position.value,
    )
    return Supervisor(service, settings, aws, stop).run()


if __name__ == "__main__":
    run_service("consumer", main)
