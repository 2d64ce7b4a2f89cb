"""Every metric is declared once; of a dead child the counters stay, and the gauges vanish."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from headcount.kcl.children import Children
from headcount.metrics import (
    GROUPS,
    MULTIPROCESS_DIRECTORY,
    BuildMetrics,
    ConsumerMetrics,
    children_registry,
    exposition,
    forget_dead_children,
)

# A child that counts a batch of the shard named by its argument, says so, and lives until its stdin is closed.
CHILD = """
import sys
from headcount.metrics import ConsumerMetrics, ShardMetrics
shard = ShardMetrics()
shard.batches.labels(shard=sys.argv[1]).inc()
shard.last_batch.labels(shard=sys.argv[1]).set_to_current_time()
shard.behind.labels(shard=sys.argv[1]).set(7)
ConsumerMetrics().records.labels(outcome="applied").inc(5)
print("ready", flush=True)
sys.stdin.read()
"""


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


def child(directory: Path, shard: str) -> subprocess.Popen[str]:
    environment = os.environ | {MULTIPROCESS_DIRECTORY: str(directory)}
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, shard],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def samples(directory: Path) -> dict[tuple[str, str], float]:
    """Values by name and the first label's value."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in children_registry(directory).collect()
        for sample in family.samples
    }


def test_a_dead_childs_gauges_vanish_and_its_counters_stay(tmp_path: Path) -> None:
    with child(tmp_path, "a") as first, child(tmp_path, "b") as second:
        before = samples(tmp_path)
        assert before["headcount_behind_latest_seconds", "a"] == 7
        assert forget_dead_children(tmp_path) == 2

        first.kill()
        first.wait()

        assert forget_dead_children(tmp_path) == 1
        after = samples(tmp_path)
        assert ("headcount_behind_latest_seconds", "a") not in after
        assert ("headcount_last_batch_timestamp_seconds", "a") not in after
        assert after["headcount_behind_latest_seconds", "b"] == 7
        assert after["headcount_batches_total", "a"] == 1
        assert after["headcount_consumer_records_total", "applied"] == 10
        second.communicate()


def test_children_just_killed_are_dead_though_nobody_buries_them(tmp_path: Path) -> None:
    """In a container whose first process the supervisor is, orphans keep their process ids."""
    with child(tmp_path, "a") as unburied:
        assert forget_dead_children(tmp_path) == 1

        assert forget_dead_children(tmp_path, all_are_dead=True) == 0

        after = samples(tmp_path)
        assert ("headcount_behind_latest_seconds", "a") not in after
        assert after["headcount_batches_total", "a"] == 1
        unburied.communicate()


def test_a_supervisor_sees_its_children(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.look()
    assert (children.alive, children.last_batch, children.totals) == (0, {}, {})

    with child(tmp_path, "a") as one:
        children.look()

        assert children.alive == 1
        assert children.last_batch.keys() == {"a"}
        assert children.stuck(60) == []
        assert children.stuck(-1) == ["a"]
        assert children.totals["headcount_consumer_records_total", "applied"] == 5
        one.communicate()

    children.look()
    assert (children.alive, children.stuck(-1)) == (0, [])
    assert children.totals["headcount_consumer_records_total", "applied"] == 5
