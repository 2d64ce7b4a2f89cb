"""Which services are at work, by what they keep writing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from headcount.kcl.leases import Lease, moved
from headcount.running import AGGREGATOR, CONSUMER, PRUNER, running
from headcount.settings import Settings
from tests.fakes.progress import MemoryProgress

SETTINGS = Settings(failover_seconds=10, prune_interval_seconds=30)
ALL = (AGGREGATOR, CONSUMER, PRUNER)
AGGREGATORS, CONSUMERS = "headcount-level-aggregator", "headcount-consumer"


@dataclass
class _Tables:
    """Lease tables."""

    rows: dict[str, dict[str, tuple[str | None, int]]] = field(default_factory=dict)

    def scan(self, TableName: str, **_: object) -> dict[str, Any]:  # noqa: N803 (AWS's name)
        items = []
        for key, (owner, counter) in self.rows.get(TableName, {}).items():
            item: dict[str, Any] = {"leaseKey": {"S": key}, "leaseCounter": {"N": str(counter)}}
            items.append(item | ({"leaseOwner": {"S": owner}} if owner else {}))
        return {"Items": items}


@pytest.mark.parametrize(
    ("after", "lives"),
    [(Lease("a", "w", 2), True), (Lease("a", "v", 1), True), (Lease("a", "w", 1), False), (Lease("a", None, 2), False)],
)
def test_a_lease_that_moved_has_a_living_owner(after: Lease, lives: bool) -> None:
    assert bool(moved([Lease("a", "w", 1)], [after])) == lives


def look(services: tuple[str, ...], then: Callable[[_Tables, MemoryProgress], None]) -> tuple[list[str], list[float]]:
    """What is said when ``then`` happens between the looks, and how long it waited."""
    tables, progress = _Tables(), MemoryProgress()
    slept: list[float] = []
    tables.rows = {name: {"shard-1": ("worker-1", 1), "shard-2": ("worker-1", 1)} for name in (AGGREGATORS, CONSUMERS)}
    progress.publish(stream_time=None, cutoff=None, held_back="", updated_at=1)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        then(tables, progress)

    found = running(cast("Any", tables), progress, SETTINGS, services, sleep)
    return [str(one) for one in found], slept


def test_who_does_not_write_does_not_run() -> None:
    """Leases of the dead stay, and so does the pruner's row."""
    assert look(ALL, lambda _tables, _progress: None) == ([], [32.0])


def test_who_writes_is_named_with_what_it_holds() -> None:
    def write(tables: _Tables, progress: MemoryProgress) -> None:
        tables.rows[CONSUMERS] = {"shard-1": ("worker-1", 2), "shard-2": ("worker-1", 2)}
        tables.rows[AGGREGATORS] = {"shard-1": ("worker-1", 1), "shard-2": ("worker-9", 1)}
        progress.publish(stream_time=None, cutoff=None, held_back="", updated_at=2)

    found, _ = look(ALL, write)

    assert found == [
        f"level_aggregator runs: worker id worker-9 holds 1 of the leases in {AGGREGATORS} (shard-2)",
        f"consumer runs: worker id worker-1 holds 2 of the leases in {CONSUMERS} (shard-1, shard-2)",
        "pruner runs: it wrote its row in StreamProgress just now",
    ]
    assert look((AGGREGATOR,), write) == (found[:1], [12.0])
