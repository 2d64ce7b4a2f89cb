"""Prometheus' rules and their unit tests, as they stand in the files."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROMETHEUS = Path(__file__).parents[2] / "docker" / "prometheus"
CONFIG = PROMETHEUS / "prometheus.yml"
RULE_FILES = tuple(sorted((PROMETHEUS / "rules").glob("*.yml")))
TEST_FILES = tuple(sorted((PROMETHEUS / "tests").glob("*.yml")))


@cache
def load(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


def groups() -> list[Any]:
    """All groups of rules."""
    return [group for path in RULE_FILES for group in load(path)["groups"]]


def alerts() -> dict[str, Any]:
    """Alerting rules by name."""
    return {rule["alert"]: rule for group in groups() for rule in group["rules"] if "alert" in rule}


def recorded() -> dict[str, Any]:
    """Recording rules by the name of what they record."""
    return {rule["record"]: rule for group in groups() for rule in group["rules"] if "record" in rule}


def alert_tests() -> Iterator[Any]:
    """Every case that promtool tests an alert by."""
    for path in TEST_FILES:
        for test in load(path)["tests"]:
            yield from test.get("alert_rule_test", [])


def expression_tests() -> Iterator[Any]:
    """Every expression that promtool evaluates."""
    for path in TEST_FILES:
        for test in load(path)["tests"]:
            yield from test.get("promql_expr_test", [])
