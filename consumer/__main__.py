"""The consumer: supervises the KCL daemon that reads the events' stream. ``python -m consumer``."""

from collections.abc import Callable

from consumer.level_event_watch import LevelEventWatch
from consumer.poison_limit import PoisonLimit
from consumer.poison_watch import PoisonWatch
from headcount.aws import Aws, verify_stream, verify_tables
from headcount.dead_letters import verify_directory
from headcount.kcl.children import Children
from headcount.kcl.service import Service
from headcount.kcl.supervisor import supervise
from headcount.lifecycle import Stop
from headcount.model import Outcome
from headcount.service import run_service
from headcount.settings import Settings

LEVEL_EVENT_OUTCOMES = (Outcome.APPLIED.value, Outcome.STALE.value, Outcome.LATE.value)


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    identity = verify_stream(aws.at_start(), settings.events_stream)
    tables = [settings.player_table, settings.progress_table]
    if settings.dead_letter_directory is None:
        tables.append(settings.dead_letter_table)
    else:
        verify_directory(settings.dead_letter_directory)
    verify_tables(aws.at_start(), settings, tables)
    service = Service(
        name="consumer",
        application=f"{settings.application}-consumer",
        stream=settings.events_stream,
        identity=str(identity),
        worker_module="consumer.worker",
        initial_position=settings.initial_position.value,
        tables=tuple(tables),
        warnings=_warnings(LevelEventWatch()),
        problems=_problems(PoisonWatch(PoisonLimit(settings.poison_run_limit, settings.poison_percent_limit))),
    )
    return supervise(service, settings, aws, stop)


def _warnings(watch: LevelEventWatch) -> Callable[[Children], list[str]]:
    def observe(children: Children) -> list[str]:
        ignored = sum(
            value for (name, _), value in children.totals.items() if name == "headcount_consumer_ignored_total"
        )
        outcomes = {
            label: value
            for (name, label), value in children.totals.items()
            if name == "headcount_consumer_records_total"
        }
        return watch.observe(ignored, sum(outcomes.get(outcome, 0.0) for outcome in LEVEL_EVENT_OUTCOMES))

    return observe


def _problems(watch: PoisonWatch) -> Callable[[Children], list[str]]:
    def observe(children: Children) -> list[str]:
        stops = children.counters.get("headcount_consumer_poison_stops_total", [])
        checkpoints = children.counters.get("headcount_checkpoints_total", [])
        return watch.observe(
            {(labels["shard"], labels["limit"]): value for labels, value in stops},
            {labels["shard"]: value for labels, value in checkpoints},
        )

    return observe


if __name__ == "__main__":
    run_service("consumer", main)
