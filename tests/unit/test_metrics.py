"""Every metric is declared once, and registries are shown as one."""

import re
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from headcount.exposition import exposition
from headcount.metrics import GROUPS, ConsumerMetrics, LevelMetrics
from headcount.process_metrics import AwsMetrics, BuildMetrics


def families() -> list[tuple[str, str]]:
    """Name and help of every metric of every group."""
    found = []
    for group in GROUPS:
        registry = CollectorRegistry()
        group(registry)
        found += [(family.name, family.documentation) for family in registry.collect()]
    return found


def test_each_name_is_declared_once() -> None:
    assert [name for name, count in Counter(name for name, _ in families()).items() if count > 1] == []


@pytest.mark.parametrize(("name", "documentation"), families())
def test_names_start_with_headcount_and_are_explained(name: str, documentation: str) -> None:
    assert re.fullmatch("headcount_[a-z_]+", name)
    assert documentation.endswith(".")


def test_all_groups_fit_into_one_registry() -> None:
    registry = CollectorRegistry()
    for group in GROUPS:
        group(registry)

    assert exposition(registry).count(b"# HELP") >= len(families())


def test_the_build_is_told() -> None:
    registry = CollectorRegistry()
    BuildMetrics(registry).tell("pruner")

    assert re.search(rb'headcount_build_info\{service="pruner",version="[0-9.]+"\} 1.0', exposition(registry))


def test_registries_are_shown_one_after_the_other() -> None:
    first, second = CollectorRegistry(), CollectorRegistry()
    ConsumerMetrics(first)
    BuildMetrics(second)

    shown = exposition(first, second)

    assert shown.index(b"headcount_consumer_clamped") < shown.index(b"headcount_build_info")


def test_what_two_registries_have_is_shown_once_and_added_up() -> None:
    """The supervisor calls AWS, and so do its workers."""
    first, second = AwsMetrics(), AwsMetrics()
    first.retries.labels(service="dynamodb", operation="Scan").inc(2)
    second.retries.labels(service="dynamodb", operation="Scan").inc(3)
    second.retries.labels(service="kinesis", operation="ListShards").inc()

    shown = exposition(first.registry, second.registry).decode()

    assert shown.count("# HELP headcount_aws_retries_total") == 1
    assert 'headcount_aws_retries_total{operation="Scan",service="dynamodb"} 5.0' in shown
    assert 'headcount_aws_retries_total{operation="ListShards",service="kinesis"} 1.0' in shown
    assert (
        first.registry.get_sample_value("headcount_aws_retries_total", {"service": "dynamodb", "operation": "Scan"})
        == 2
    )


def test_times_of_creation_are_not_shown() -> None:
    registry = CollectorRegistry()
    for group in GROUPS:
        group(registry)

    assert b"_created" not in exposition(registry)


def test_gauges_of_one_look_have_no_value_before_and_change_together() -> None:
    registry = CollectorRegistry()
    metrics = LevelMetrics(registry)
    assert [family.samples for family in registry.collect()] == [[], [], [], []]

    metrics.state.show({LevelMetrics.PLAYERS: {"a": 1, "b": 2}, LevelMetrics.LEVELS: 2})
    metrics.state.show({LevelMetrics.PLAYERS: {"b": 3}, LevelMetrics.LEVELS: 1})

    assert registry.get_sample_value("headcount_players", {"level": "a"}) is None
    assert registry.get_sample_value("headcount_players", {"level": "b"}) == 3
    assert registry.get_sample_value("headcount_levels") == 1
    assert registry.get_sample_value("headcount_negative_levels") is None
