"""Prometheus' rules: complete, tested, documented, and about metrics that exist. promtool itself says if they work."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.metric_names import PROMETHEUS_OWN, exposed, named
from tests.monitoring.rules import (
    CONFIG,
    RULE_FILES,
    TEST_FILES,
    alert_tests,
    alerts,
    expression_tests,
    groups,
    load,
    recorded,
)

PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"
HEADING = re.compile(r"^## (\w+)\n\n\*\*(\w+)\.\*\* ", re.MULTILINE)
ANNOTATIONS = {"summary", "description", "runbook_url"}

every_alert = pytest.mark.parametrize("alert", list(alerts().values()), ids=list(alerts()))
every_rule = pytest.mark.parametrize("rule", [*alerts().values(), *recorded().values()], ids=[*alerts(), *recorded()])


def test_prometheus_scrapes_each_service_where_compose_knows_it() -> None:
    jobs = {job["job_name"]: job for job in load(CONFIG)["scrape_configs"]}
    assert jobs.pop("prometheus")
    for name, job in jobs.items():
        (found,) = job["dns_sd_configs"]
        assert (found["names"], found["type"], found["port"]) == ([name], "A", 9464)
    assert set(jobs) == {"consumer", "level_aggregator", "pruner", "game_map"}


def test_every_rule_file_is_loaded_by_prometheus() -> None:
    assert load(CONFIG)["rule_files"] == ["rules/*.yml"]
    assert {path.parent.name for path in RULE_FILES} == {"rules"}


def test_no_name_is_given_twice() -> None:
    rules = [rule.get("alert") or rule["record"] for group in groups() for rule in group["rules"]]
    names = Counter(rules + [group["name"] for group in groups()])
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("name", list(recorded()))
def test_a_recorded_name_says_level_metric_and_operation(name: str) -> None:
    assert re.fullmatch(r"(job|shard)(_\w+)?:headcount_\w+:[a-z0-9_]+", name)


@every_alert
def test_an_alert_waits_and_says_what_happened_and_what_to_do(alert: Any) -> None:
    assert re.fullmatch(r"\d+[mh]", alert["for"])
    assert alert["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert set(alert["annotations"]) == ANNOTATIONS
    assert all(alert["annotations"].values())


@every_alert
def test_an_alerts_runbook_is_its_heading(alert: Any) -> None:
    assert alert["annotations"]["runbook_url"] == f"docs/alerts.md#{alert['alert'].lower()}"


def test_every_alert_has_its_heading_with_its_severity_and_every_heading_its_alert() -> None:
    text = PAGE.read_text("utf-8")
    headings = dict(HEADING.findall(text))
    assert headings == {name: alert["labels"]["severity"] for name, alert in alerts().items()}
    assert len(re.findall(r"^#+ ", text, re.MULTILINE)) == len(headings) + 1, "there is a heading of no alert"


def test_every_heading_says_what_players_see_and_then_what_to_do() -> None:
    for part in PAGE.read_text("utf-8").split("\n## ")[1:]:
        told = re.findall(r"^(\*\*\w+\.\*\*|Players see:|Do:) ", part, re.MULTILINE)
        assert told[1:] == ["Players see:", "Do:"], part.partition("\n")[0]


@every_rule
def test_every_metric_that_a_rule_names_exists(rule: Any) -> None:
    assert named(rule["expr"]) - exposed() - recorded().keys() - PROMETHEUS_OWN == set()
    assert named(rule["expr"])


@every_alert
def test_every_alert_is_seen_to_fire_with_all_it_says(alert: Any) -> None:
    fired = [
        expected for test in alert_tests() if test["alertname"] == alert["alert"] for expected in test["exp_alerts"]
    ]
    assert fired
    for expected in fired:
        assert expected["exp_labels"]["severity"] == alert["labels"]["severity"]
        assert set(expected["exp_annotations"]) == ANNOTATIONS
        assert "{{" not in str(expected["exp_annotations"])


@every_alert
def test_every_alert_is_seen_not_to_fire(alert: Any) -> None:
    assert [test for test in alert_tests() if test["alertname"] == alert["alert"] and not test["exp_alerts"]]


def test_every_tested_alert_exists() -> None:
    assert {test["alertname"] for test in alert_tests()} <= alerts().keys()


@pytest.mark.parametrize("name", list(recorded()))
def test_every_recording_rule_is_evaluated(name: str) -> None:
    assert [test for test in expression_tests() if name in named(test["expr"]) and test["exp_samples"]]


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_every_metric_that_a_unit_test_feeds_exists(path: Path) -> None:
    fed = {
        series["series"].partition("{")[0].strip() for test in load(path)["tests"] for series in test["input_series"]
    }
    assert fed - exposed() - PROMETHEUS_OWN == set()
