"""The counts as metrics, and the live audit, of a running level aggregator."""

import time

import pytest

from tests.integration.conftest import MakeSite
from tests.integration.events import level_event
from tests.integration.service import START_SECONDS, Metrics, Service
from tests.integration.sites import Site
from tests.integration.waiting import eventually

AUDITED_SECONDS = 60.0
PLAYERS = {"forest": 3, "castle": 2, "swamp": 1}


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """Six players in three levels; audits follow one another."""
    site = make_site("level-metrics", shards=1, HEADCOUNT_LEVEL_METRICS="1", HEADCOUNT_AUDIT_INTERVAL_SECONDS="1")
    now = round(time.time() * 1000)
    site.put(
        0, *(level_event(f"{level}-{n}", level, now) for level, players in PLAYERS.items() for n in range(players))
    )
    return site


def players(metrics: Metrics) -> dict[str, float]:
    """By level."""
    return {
        labels.removeprefix("level="): value for (name, labels), value in metrics.items() if name == "headcount_players"
    }


def audited(service: Service, result: str, times: float) -> Metrics | None:
    """The metrics, once so many audits have ended so."""
    metrics = service.metrics()
    return metrics if metrics.get(("headcount_audits_total", f"result={result}"), 0) >= times else None


def test_counts_are_shown_and_audited(site: Site) -> None:
    """First they are right; then somebody spoils a row."""
    aggregator, consumer = site.start("level_aggregator"), site.start("consumer")
    shown = {"forest": 3.0, "(other)": 3.0}
    eventually(lambda: players(aggregator.metrics()) == shown, START_SECONDS, "the players of each level")
    aggregator.wait_for_workers(1)
    sent = sum(PLAYERS.values())
    eventually(lambda: site.tallies().total() == sent, START_SECONDS, "the consumer to have told what it wrote")
    exact = aggregator.metrics()["headcount_audits_total", "result=exact"]
    metrics = eventually(lambda: audited(aggregator, "exact", exact + 1), AUDITED_SECONDS, "an exact audit")
    assert metrics["headcount_audit_differences", ""] == 0
    assert metrics["headcount_levels", ""] == 3
    assert metrics["headcount_negative_levels", ""] == 0
    assert time.time() - metrics["headcount_level_state_timestamp_seconds", ""] < 60
    assert time.time() - metrics["headcount_audit_timestamp_seconds", ""] < 60

    site.dynamodb.update_item(
        TableName=site.tables["LEVEL"],
        Key={"levelId": {"S": "swamp"}},
        UpdateExpression="ADD playerCount :off",
        ExpressionAttributeValues={":off": {"N": "-3"}},
    )
    metrics = eventually(lambda: audited(aggregator, "different", 1), AUDITED_SECONDS, "an audit that finds it")
    assert metrics["headcount_audit_differences", ""] == 3  # I1, I2, I4
    lines = aggregator.log_lines("audit: difference")
    assert {line["difference"] for line in lines} >= {
        "I1 swamp: playerCount is -2, should be 1 (off by -3)",
        "I2 swamp: playerCount is -2, should be 0 (off by -2)",
    }
    assert {line["service"] for line in lines} == {"level_aggregator"}
    eventually(lambda: aggregator.metrics()["headcount_negative_levels", ""] == 1, AUDITED_SECONDS, "a negative level")

    samples = consumer.metrics()
    assert samples["headcount_consumer_write_duration_seconds_count", ""] == sent
    assert samples["headcount_aws_attempts_total", "operation=UpdateItem,result=ok,service=dynamodb"] >= 6
    assert samples["headcount_dynamodb_write_units_total", f"table={site.tables['PLAYER']}"] == sent
    assert metrics["headcount_aggregator_transaction_duration_seconds_count", ""] >= 1
    assert metrics["headcount_aggregator_gaps_total", ""] == 0
    assert metrics["headcount_aws_attempts_total", "operation=TransactWriteItems,result=ok,service=dynamodb"] >= 1
    assert metrics["headcount_dynamodb_write_units_total", f"table={site.tables['LEVEL']}"] >= 2 * len(PLAYERS)
    assert metrics["headcount_dynamodb_read_units_total", f"table={site.tables['PLAYER']}"] >= 1
    # Levels read and audited in the supervisor, the progress in its worker: one series.
    assert metrics["headcount_aws_attempts_total", "operation=Scan,result=ok,service=dynamodb"] >= 3
    for service in (aggregator, consumer):
        assert not any(player in service.get("/metrics")[1] for player in ("forest-0", "castle-1"))
        assert service.drain() == 0
