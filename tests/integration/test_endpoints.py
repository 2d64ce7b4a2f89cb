"""`/metrics`, `/healthz` and `/readyz` of running services."""

import json

import pytest

from tests.integration.conftest import MakeSite
from tests.integration.events import other_event
from tests.integration.service import START_SECONDS, Metrics, Service
from tests.integration.sites import Site, shard_id
from tests.integration.story import HOUR_MS
from tests.integration.waiting import eventually

SHARDS = 2
EVENTS_PER_SHARD = 3
AT = 500_000 * HOUR_MS
GAUGE, COUNTER = "headcount_last_batch_timestamp_seconds", "headcount_consumer_records_total"
STARTING = (  # how each problem begins
    "the KCL daemon is not running",
    "the KCL daemon is starting",
    "no shard is leased yet",
    "no worker has begun yet",
    "DynamoDB gives no answer: ",
)


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """A stream with some events on each shard; no slow start or answer passes for a lease that nobody renews."""
    site = make_site("endpoints", shards=SHARDS, HEADCOUNT_FAILOVER_SECONDS="10")
    for shard in range(SHARDS):
        site.put(shard, *[other_event(AT)] * EVENTS_PER_SHARD)
    return site


@pytest.fixture(scope="module")
def consumer(site: Site) -> Service:
    """It reads them; just started for the first test that asks."""
    return site.start("consumer")


def answers_until_ready(service: Service) -> list[tuple[int, str]]:
    """What `/readyz` said, from the first answer on to the first 200, without repetitions."""
    answers: list[tuple[int, str]] = []

    def ready() -> bool:
        answer = service.get("/readyz")
        if answer[0] and answer not in answers:
            answers.append(answer)
        return answer[0] == 200

    eventually(ready, START_SECONDS, f"{service.name} to be ready")
    return answers


def shards(metrics: Metrics, name: str) -> set[str]:
    """The shards that have a sample of this name."""
    return {labels.removeprefix("shard=") for sample, labels in metrics if sample == name}


def handled(metrics: Metrics) -> float:
    """Records that all workers ever counted."""
    return sum(value for (name, _), value in metrics.items() if name == COUNTER)


def test_consumer_is_ready_once_it_has_a_shard_and_its_metrics_outlive_a_worker(consumer: Service) -> None:
    """A dead worker's gauges vanish, its counters stay; the supervisor's metrics stand beside them."""
    *before, (_, ready) = answers_until_ready(consumer)
    assert before
    assert {status for status, _ in before} == {503}
    problems = {problem for _, body in before for problem in json.loads(body)["problems"]}
    assert [problem for problem in problems if not problem.startswith(STARTING)] == []
    assert json.loads(ready) == {"status": "ok", "problems": [], "warnings": []}
    assert consumer.get("/healthz")[0] == 200

    everything = SHARDS * EVENTS_PER_SHARD
    metrics = eventually(
        lambda: found if handled(found := consumer.metrics()) == everything else None,
        START_SECONDS,
        "every record in a metric",
    )
    assert shards(metrics, GAUGE) == {shard_id(shard) for shard in range(SHARDS)}
    assert metrics["headcount_daemon_starts_total", ""] == 1
    assert metrics["headcount_build_info", "service=consumer,version=0.1.0"] == 1
    eventually(
        lambda: consumer.metrics()["headcount_shard_children", ""] == SHARDS, START_SECONDS, "the children's count"
    )

    [victim, *_] = consumer.wait_for_workers(SHARDS)
    victim.kill()
    gone = eventually(lambda: without_workers(consumer), START_SECONDS, "the gauges to vanish")
    assert handled(gone) >= everything
    assert consumer.get("/healthz")[0] == 200
    consumer.wait_for_workers(SHARDS)
    again = eventually(lambda: with_gauges(consumer), START_SECONDS, "the gauges to come back")
    assert handled(again) >= handled(gone)
    assert again["headcount_daemon_starts_total", ""] == 2
    assert again["headcount_daemon_exits_total", "code=70"] == 1


def without_workers(service: Service) -> Metrics | None:
    """The metrics, if no worker's gauge is among them and the service says that it is not ready."""
    metrics = service.metrics()
    return metrics if metrics and not shards(metrics, GAUGE) and service.get("/readyz")[0] == 503 else None


def with_gauges(service: Service) -> Metrics | None:
    """The metrics, if every shard's gauge is among them."""
    metrics = service.metrics()
    return metrics if len(shards(metrics, GAUGE)) == SHARDS else None


@pytest.mark.usefixtures("consumer")
def test_pruner_tells_of_its_passes(site: Site) -> None:
    """Ready from the start, and its passes go through: they know how far each shard is."""
    pruner = site.start("pruner")
    answers_until_ready(pruner)
    assert pruner.get("/healthz")[0] == 200
    passes = "headcount_pruner_passes_total"
    eventually(lambda: pruner.metrics().get((passes, "result=complete"), 0) >= 2, START_SECONDS, "two passes")
    metrics = pruner.metrics()
    assert ("headcount_pruner_cutoff_timestamp_seconds", "") in metrics
    assert metrics["headcount_build_info", "service=pruner,version=0.1.0"] == 1
    assert pruner.drain() == 0
