"""Prometheus sees every container, its rules are sound, an alert fires, and every panel of each dashboard has data."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Measure
from tests.monitoring.panels import queries
from tests.system import engine
from tests.system.game import Game
from tests.system.outcome import eventually
from tests.system.prometheus import Prometheus
from tests.system.tables import STREAM, Aws

RULES = sorted((engine.ROOT / "docker" / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((engine.ROOT / "docker" / "prometheus" / "tests").glob("*.yml"))
SEEN_SECONDS = 60  # some scrapes, and as many evaluations
PANEL_SECONDS = 240  # rates over a minute, the first audit
POISON = b"no event at all"


def promtool(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The one in Prometheus' container."""
    [container] = engine.containers("prometheus")
    command = ["docker", "exec", "--interactive", container, "promtool", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300, check=False)


def metrics(container: str) -> str:
    """What a service shows. Who asks gives up after 4 s, and a busy container may take longer."""
    shown: list[str] = []

    def answers() -> bool:
        shown.append(engine.page(container, "/metrics"))
        return "headcount_build_info" in shown[-1]

    eventually(answers, SEEN_SECONDS, lambda: shown[-1])
    return shown[-1]


def mounted(files: list[Path]) -> list[str]:
    """Where the container has them."""
    return [f"/etc/prometheus/{file.relative_to(engine.ROOT / 'docker' / 'prometheus')}" for file in files]


@pytest.mark.parametrize(
    "check",
    [
        ["check", "config", "/etc/prometheus/prometheus.yml"],
        ["check", "rules", *mounted(RULES)],
        ["test", "rules", *mounted(RULE_TESTS)],
    ],
    ids=["config", "rules", "tests of rules"],
)
def test_promtool_accepts_what_prometheus_runs_with(check: list[str]) -> None:
    done = promtool(*check)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", engine.SERVICES)
def test_promtool_finds_nothing_to_say_of_a_services_metrics(service: str, game: Game) -> None:  # noqa: ARG001 (traffic)
    for container in engine.containers(service):
        done = promtool("check", "metrics", stdin=metrics(container).strip() + "\n")
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_prometheus_scrapes_every_container(prometheus: Prometheus) -> None:
    expected = {service: len(engine.containers(service)) for service in engine.SERVICES}

    def seen() -> dict[str, int]:
        found = prometheus.query("sum by (job) (up)")
        return {labels["job"]: round(value) for labels, value in found if labels["job"] in expected}

    eventually(lambda: seen() == expected, SEEN_SECONDS, lambda: f"up: {seen()}, containers: {expected}")


def test_what_prometheus_shows_is_what_the_tables_hold(prometheus: Prometheus, aws: Aws, game: Game) -> None:  # noqa: ARG001 (traffic)
    def near() -> bool:
        shown = prometheus.value("sum(max by (level) (headcount_players))")
        return shown > 0 and abs(shown - len(aws.players())) <= 0.2 * shown  # it is read every 10 s, scraped every 5

    eventually(near, SEEN_SECONDS, lambda: f"players: {prometheus.query('headcount_players')}")


def test_a_dead_letter_is_kept_to_the_byte_and_raises_an_alert(
    aws: Aws, prometheus: Prometheus, measure: Measure
) -> None:
    put = aws.kinesis.put_record(StreamName=STREAM, Data=POISON, PartitionKey="poison")
    begun = time.monotonic()
    kept = eventually(
        lambda: aws.dead_letters().get(put["SequenceNumber"]) == POISON, SEEN_SECONDS, lambda: "no dead letter"
    )
    measure("a record that can't be read: kept after", kept)
    eventually(lambda: "DeadLetters" in prometheus.firing(), PANEL_SECONDS, lambda: f"firing: {prometheus.firing()}")
    measure("a record that can't be read: the alert fires after", time.monotonic() - begun)


def test_every_panel_of_every_dashboard_shows_something(prometheus: Prometheus, game: Game) -> None:  # noqa: ARG001 (traffic)
    asked = list(queries())
    assert asked

    def empty() -> list[str]:
        return [f"{ask.dashboard}/{ask.panel}: {ask.expr}" for ask in asked if not prometheus.query(ask.expr)]

    eventually(lambda: not empty(), PANEL_SECONDS, lambda: f"{len(empty())} of {len(asked)} are empty: {empty()}")
