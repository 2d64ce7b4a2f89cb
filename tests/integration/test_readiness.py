"""`/readyz` and `/healthz` tell the truth: of a daemon that hangs, a spare, a table that is gone, a silent AWS."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from headcount.demo.ministack import MiniStack
from tests.conftest import Measure
from tests.integration.conftest import MakeSite
from tests.integration.service import START_SECONDS, Service
from tests.integration.sites import Site
from tests.integration.waiting import eventually

STALL_SECONDS = 25
HANGS_SECONDS = 22.0  # 10 without a sign of life and a look; more on a busy machine, but less than the stall time
TABLE_GONE_SECONDS = 45.0  # tables are looked at every 30 s
SILENT_SECONDS = 30.0
RECOVERS_SECONDS = 90.0


def wait_until_ready(service: Service, seconds: float = START_SECONDS) -> None:
    eventually(lambda: service.get("/readyz")[0] == 200, seconds, f"{service.name} to be ready")


def wait_until_unready(service: Service, seconds: float, problem: str) -> None:
    """Wait for a 503 that says so."""

    def says_so() -> bool:
        status, body = service.get("/readyz")
        return status == 503 and any(problem in told for told in json.loads(body)["problems"])

    eventually(says_so, seconds, f"{service.name} to say {problem}")


def test_a_daemon_that_hangs_is_unready_then_replaced(make_site: MakeSite, measure: Measure) -> None:
    """SIGSTOP of the JVM."""
    site = make_site("hangs", shards=1, HEADCOUNT_STALL_SECONDS=str(STALL_SECONDS))
    consumer = site.start("consumer")
    consumer.wait_for_workers(1)
    first = consumer.daemon()
    assert first is not None
    begun = time.monotonic()
    first.suspend()

    wait_until_unready(consumer, HANGS_SECONDS, "the KCL daemon has given no sign of life for ")
    measure("consumer is unready after SIGSTOP of its daemon", time.monotonic() - begun)
    assert consumer.get("/healthz")[0] == 200
    last_sign = heartbeat(consumer)
    assert time.time() - last_sign > 9

    eventually(lambda: consumer.daemon() not in {None, first}, RECOVERS_SECONDS, "another daemon")
    assert time.time() - last_sign >= STALL_SECONDS  # not since the SIGSTOP: that comes up to a second after the sign
    wait_until_ready(consumer)
    measure("consumer is ready again, its stall time being 25 s", time.monotonic() - begun)
    metrics = consumer.metrics()
    assert metrics["headcount_daemon_starts_total", ""] == 2
    assert metrics["headcount_daemon_exits_total", "code=-9"] == 1
    eventually(lambda: time.time() - heartbeat(consumer) < 5, START_SECONDS, "the new daemon's sign of life")


def heartbeat(service: Service) -> float:
    """When its daemon last gave a sign of life."""
    return service.metrics()["headcount_daemon_heartbeat_timestamp_seconds", ""]


def leases(service: Service) -> tuple[float, float, float]:
    """Its own, those of others, the stalled ones, as the metrics tell."""
    metrics = service.metrics()
    mine, others, stalled = (
        metrics.get(("headcount_leases", f"state={state}"), -1) for state in ("mine", "others", "stalled")
    )
    return mine, others, stalled


def test_a_spare_is_ready_and_takes_over(make_site: MakeSite, measure: Measure) -> None:
    """Two consumers on one shard; kill -9 of the one that has it."""
    site = make_site("spare", shards=1, HEADCOUNT_FAILOVER_SECONDS="5")  # no slow answer shall make it a holder
    holder = site.start("consumer")
    holder.wait_for_workers(1)
    spare = site.start("consumer")
    wait_until_ready(spare)
    warning = "spare: other processes hold every lease (1)"
    says = {"status": "warning", "problems": [], "warnings": [warning]}
    eventually(lambda: spare.health("/readyz") == says, START_SECONDS, warning)
    assert spare.workers() == []
    told = ((1, 0, 0), (0, 1, 0))
    eventually(lambda: (leases(holder), leases(spare)) == told, START_SECONDS, "the lease to be the first one's")
    assert spare.metrics()["headcount_warnings", ""] == 0

    begun = time.monotonic()
    psutil.Process(holder.supervisor.pid).kill()
    spare.wait_for_workers(1)
    measure("spare has the lease after kill -9 of its holder", time.monotonic() - begun)
    eventually(lambda: leases(spare) == (1, 0, 0), START_SECONDS, "the lease to be its own")
    eventually(lambda: spare.health("/readyz").get("status") == "ok", START_SECONDS, "the spare to be one no more")


def test_a_table_that_is_gone_makes_it_unready(make_site: MakeSite, measure: Measure) -> None:
    """And one that is there again makes it ready again."""
    site = make_site("table-gone", shards=1)
    consumer = site.start("consumer")
    wait_until_ready(consumer)
    table = site.tables["DEAD_LETTER"]
    begun = time.monotonic()
    site.dynamodb.delete_table(TableName=table)

    wait_until_unready(consumer, TABLE_GONE_SECONDS, f"DynamoDB table {table} does not exist")
    measure("consumer is unready after a table was deleted", time.monotonic() - begun)
    assert consumer.get("/healthz")[0] == 200
    assert site.command("setup").returncode == 0
    wait_until_ready(consumer)


@pytest.fixture
def silent_aws(tmp_path: Path) -> Iterator[tuple[Site, list[psutil.Process]]]:
    """A site in an emulator of its own, and that one's processes."""
    with MiniStack() as aws:
        assert aws._process is not None
        processes = psutil.Process(aws._process.pid).children(recursive=True)
        with Site(aws.endpoint_url, "silent", tmp_path, shards=1) as site:
            yield site, processes
            for process in processes:
                process.resume()


def test_all_services_are_unready_while_aws_gives_no_answer(
    silent_aws: tuple[Site, list[psutil.Process]], measure: Measure
) -> None:
    """It takes connections and says nothing, so that every call hangs until its timeout."""
    site, aws = silent_aws
    services = {name: site.start(name) for name in ("consumer", "level_aggregator", "pruner")}
    for service in services.values():
        wait_until_ready(service)
    begun = time.monotonic()
    for process in aws:
        process.suspend()

    for name, problem in (
        ("consumer", "DynamoDB gives no answer"),
        ("level_aggregator", "DynamoDB gives no answer"),
        ("pruner", "AWS has not answered"),
    ):
        wait_until_unready(services[name], SILENT_SECONDS, problem)
        measure(f"{name} is unready after AWS fell silent", time.monotonic() - begun)
        assert services[name].get("/healthz")[0] == 200

    for process in aws:
        process.resume()
    for name, service in services.items():
        wait_until_ready(service, RECOVERS_SECONDS)
        measure(f"{name} is ready again", time.monotonic() - begun)
