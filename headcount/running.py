"""Which services are at work, seen by what they keep writing: leases of the KCL, and the pruner's row."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headcount.kcl.lease_table import read_leases
from headcount.kcl.leases import moved

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.kcl.leases import Lease
    from headcount.settings import Settings
    from headcount.tables.progress import ProgressTable

AGGREGATOR, CONSUMER, PRUNER = "level_aggregator", "consumer", "pruner"
NAMED = 2  # of the leases that one holds
MARGIN_SECONDS = 2.0  # on top of what a live one takes at most to write again
MOST_SECONDS = 60.0  # a pruner with longer pauses is not waited for


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is at work, and how that showed."""

    service: str
    seen: str

    def __str__(self) -> str:
        return f"{self.service} runs: {self.seen}"


def lease_tables(settings: Settings) -> dict[str, str]:
    """Names of the lease tables of both KCL services."""
    application = settings.application
    return {AGGREGATOR: f"{application}-level-aggregator", CONSUMER: f"{application}-consumer"}


def running(
    client: DynamoDBClient,
    progress: ProgressTable,
    settings: Settings,
    services: tuple[str, ...],
    sleep: Callable[[float], None] = time.sleep,
) -> list[Running]:
    """Those of ``services`` that write between two looks, a failover time or a prune interval apart."""
    tables = {service: name for service, name in lease_tables(settings).items() if service in services}
    before = {service: _leases(client, name) for service, name in tables.items()}
    passed = progress.cutoff().updated_at
    seconds = settings.failover_seconds
    if PRUNER in services and passed:
        seconds = max(seconds, min(MOST_SECONDS, settings.prune_interval_seconds))
    sleep(seconds + MARGIN_SECONDS)
    found = []
    for service, name in tables.items():
        held: dict[str, list[str]] = {}
        for lease in moved(before[service], _leases(client, name)):
            held.setdefault(str(lease.owner), []).append(lease.key)
        for owner, keys in sorted(held.items()):
            some = ", ".join(keys[:NAMED]) + (", …" if len(keys) > NAMED else "")
            found.append(Running(service, f"worker id {owner} holds {len(keys)} of the leases in {name} ({some})"))
    if PRUNER in services and progress.cutoff().updated_at != passed:
        found.append(Running(PRUNER, f"it wrote its row in {progress.name} just now"))
    return found


def _leases(client: DynamoDBClient, table: str) -> list[Lease]:
    return [row.lease for row in read_leases(client, table)]
