"""One, two and four shards, each with a worker process of its own, on one database."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.driver import Took, Worker, batches
from benchmarks.places import STREAM, Database, database, worker
from benchmarks.results import Chart, Findings
from benchmarks.sections.aggregator import stream_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.places import Size
    from headcount.model import Record

SHARDS = (1, 2, 4)
EVENTS, CHANGES = 40_000, 20_000  # of all shards together
CONSUMER_BATCH, AGGREGATOR_BATCH = 2_000, 1_000
METHOD = f"""The real workers over pipes, one per shard, all at once, on one fresh DynamoDB Local. Consumers share
{EVENTS:,} events of the standard load, aggregators {CHANGES:,} stream records (four renewals per change), whose hot
level all shards touch. To the end of a drain, from the players' first events on: each
player's entering is a write of its own, once for each shard that sees the player, and in so short a run that is most
of the writes. The workers share the machine's cores with each other, with the database and with what feeds them: what
a record costs in processor time is what carries over to other machines."""


@dataclass(frozen=True)
class Together:
    """What all shards did: seconds, each one's share, and all their counters."""

    wall: float
    tooks: list[Took]
    totals: dict[str, float]

    @property
    def records(self) -> int:
        """Of all shards."""
        return sum(took.records for took in self.tooks)

    @property
    def cpu(self) -> float:
        """CPU seconds per 1,000 records."""
        return 1000 * sum(took.cpu for took in self.tooks) / self.records

    def of(self, counter: str) -> float:
        """A counter of all workers."""
        return self.totals.get(counter, 0.0)


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("One, two, four shards", METHOD)
    events = load.moments(load.STANDARD, 1.2 * size.of(EVENTS) / load.STANDARD.events_per_second)[: size.of(EVENTS)]
    series: dict[str, list[float]] = {}
    for stable, shards in ((stable, shards) for stable in (True, False) for shards in SHARDS):
        kind = "stable" if stable else "random"
        parts = [load.records(load.on_shard(events, shard, stable=stable, shards=shards)) for shard in range(shards)]
        ran = _consumers(parts)
        name = f"consumers, {kind} keys, {shards} shards"
        series.setdefault(f"consumers, {kind} keys", []).append(_tell(found, name, "events", ran))
        level_events = sum(ran.of(f"headcount_consumer_records_total{{{one}}}") for one in ("applied", "stale"))
        writes = ran.of("headcount_consumer_player_writes_total")
        found.figure(f"{name}: writes per level event", "", writes / max(1.0, level_events))
    changes = stream_records(size.of(CHANGES), renewals=True)
    for shards in SHARDS:
        ran = _aggregators([changes[shard::shards] for shard in range(shards)])
        name = f"aggregators, {shards} shards"
        series.setdefault("aggregators", []).append(_tell(found, name, "records", ran))
        applied = ran.of("headcount_aggregator_transactions_total{applied}")
        conflicts = ran.of("headcount_aggregator_transactions_total{conflict}")
        each = ran.of("headcount_aggregator_changes_total{transition}") / max(1.0, applied)
        found.figure(
            f"{name}: level changes per transaction", "", each, f"{applied:.0f} applied, {conflicts:.0f} conflicts"
        )
    told = {name: tuple(values) for name, values in series.items()}
    found.charts.append(Chart("scale", "All shards together: records a second", tuple(map(str, SHARDS)), told))
    return found


def _tell(found: Findings, name: str, what: str, ran: Together) -> float:
    rate = found.figure(name, f"{what}/s", ran.records / ran.wall)
    found.figure(f"{name}: processor time", f"CPU s per 1,000 {what}", ran.cpu)
    return rate


def _consumers(parts: Sequence[Sequence[Record]]) -> Together:
    with database() as base, ExitStack() as stack:
        workers = []
        for shard in range(len(parts)):
            name = f"shardId-{shard:012}"
            base.begin(f"consumer/{STREAM}/{name}")
            workers.append(_worker(stack, base, "consumer.worker", STREAM, name))
        return _run(workers, parts, CONSUMER_BATCH)


def _aggregators(parts: Sequence[Sequence[Record]]) -> Together:
    with database() as base, ExitStack() as stack:
        workers = [
            _worker(stack, base, "level_aggregator.worker", base.player_identity, f"shardId-{shard:012}")
            for shard in range(len(parts))
        ]
        return _run(workers, parts, AGGREGATOR_BATCH)


def _worker(stack: ExitStack, base: Database, module: str, identity: str, shard: str) -> Worker:
    return stack.enter_context(worker(module, identity, endpoint_url=base.endpoint_url, shard=shard))


def _run(workers: Sequence[Worker], parts: Sequence[Sequence[Record]], size: int) -> Together:
    lines = [batches(part, size) for part in parts]
    with ThreadPoolExecutor(len(workers)) as pool:
        begun = time.perf_counter()
        tooks = list(
            pool.map(
                lambda each: each[0].feed(each[1], len(each[2]), drain=True), zip(workers, lines, parts, strict=True)
            )
        )
        wall = time.perf_counter() - begun
    totals: dict[str, float] = {}
    for each in workers:
        for name, value in each.totals().items():
            totals[name] = totals.get(name, 0.0) + value
    return Together(wall, tooks, totals)
