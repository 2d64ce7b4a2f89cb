"""One worker process of the consumer, through the real protocol."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.driver import FIRST_SHARD, Took, batches
from benchmarks.places import STREAM, database, worker
from benchmarks.results import Chart, Findings, Sense, in_turn, ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.places import Size
    from headcount.model import Record

RECORDS, WARM, BATCH = 60_000, 6_000, 2_000
BASELINE_RECORDS = 3_000
MOST_MEGABYTES = 80
TRIES, NEAR = 5, 1.1  # until the refresh is near 60 s of the game
WORKER = f"consumer/{STREAM}/{FIRST_SHARD}"
SECONDS = (RECORDS + WARM) / load.STANDARD.events_per_second * load.SHARDS
METHOD = f"""The real worker (`python -m consumer.worker`) over pipes, in batches of {BATCH:,} records made
beforehand: one of four shards of the standard load, {RECORDS:,} records after {WARM:,} that are not timed (players
become known, Python warm), to the end of a drain that writes all that is held back. "Without database time":
boto3's clients are replaced in the process by ones that answer at once, so neither botocore nor a connection is
measured, and the rest is. "With DynamoDB Local": the real clients, a fresh server per run. The worker reads a
backlog as fast as it can, so fewer renewals fall due than in real time, as in any catching up; "at real time's
refresh" shortens the refresh by as much as that run is faster than the game. With random keys the other shards'
workers don't run beside it; how many conditions fail where they do, the section on writes says. The baseline is the
tutorial's algorithm in the same worker process, on the first {BASELINE_RECORDS:,} of the same records: it makes one
write per level event, whatever came before."""


class Feed:
    """The records of a shard, as lines, warm-up first."""

    def __init__(self, size: Size, *, stable: bool) -> None:
        warm, count = size.of(WARM), size.of(RECORDS)
        seconds = 1.2 * SECONDS * size.share + 30
        moments = load.on_shard(load.moments(load.STANDARD, seconds), 0, stable=stable)
        records = load.records(islice(moments, warm + count))
        self.warm, self.timed = records[:warm], records[warm:]
        self.seconds = (self.timed[-1].arrived_at - self.timed[0].arrived_at) / 1000
        self.baseline = self.timed[: size.of(BASELINE_RECORDS)]


def without_database(feed: Feed, module: str = "consumer.worker") -> Took:
    """A run of the worker whose AWS answers at once."""
    with worker("benchmarks.instant", module, STREAM) as started:
        started.feed(batches(feed.warm, BATCH), len(feed.warm))
        return started.feed(batches(feed.timed, BATCH), len(feed.timed), drain=True)


def with_database(feed: Feed, refresh: float = 60.0) -> tuple[Took, dict[str, float]]:
    """A run on a fresh server, and what its counters counted."""
    with database() as base:
        base.begin(WORKER)
        settings = {"HEADCOUNT_REFRESH_SECONDS": f"{refresh:.3f}"}
        with worker("consumer.worker", STREAM, endpoint_url=base.endpoint_url, settings=settings) as started:
            started.feed(batches(feed.warm, BATCH), len(feed.warm))
            before = started.totals()
            took = started.feed(batches(feed.timed, BATCH), len(feed.timed), drain=True)
            after = started.totals()
    return took, {name: value - before.get(name, 0.0) for name, value in after.items()}


def baseline(records: Sequence[Record]) -> Took:
    """A run of the tutorial's algorithm on a fresh server."""
    with (
        database() as base,
        worker("benchmarks.tutorial", "consumer", endpoint_url=base.endpoint_url) as started,
    ):
        return started.feed(batches(records, BATCH), len(records), drain=True)


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("One consumer worker, through the real protocol", METHOD)
    _alone(found, size)
    bars: dict[str, float] = {}
    for stable, name in ((True, "stable keys"), (False, "random keys")):
        bars |= _with_writes(found, size, Feed(size, stable=stable), name)
    labels, values = tuple(bars), tuple(bars.values())
    found.charts.append(
        Chart("consumer", "One consumer worker: events a second", labels, {"events/s": values}, logarithmic=True)
    )
    return found


def _alone(found: Findings, size: Size) -> None:
    feed = Feed(size, stable=True)
    tooks = [without_database(feed) for _ in range(size.runs)]
    rate = found.figure("without database time", "events/s", [took.per_second for took in tooks])
    cpu = found.figure(
        "its processor time", "CPU s per 1,000 events", [1000 * took.cpu / took.records for took in tooks]
    )
    # At full speed no renewal falls due within the run: as many records wait as may, in the largest batches.
    memory = found.figure("its memory (peak), working through a backlog", "MB", [took.memory for took in tooks])
    found.target("consumer worker's memory (peak), working through a backlog", Sense.MOST, MOST_MEGABYTES, memory, "MB")
    found.target("consumer worker without database time", Sense.LEAST, 30_000, rate, "events/s")
    found.figure("its share of a core at 1,000 events/s, without database", "%", 100 * cpu)


def _with_writes(found: Findings, size: Size, feed: Feed, name: str) -> dict[str, float]:
    runs: list[Took] = []
    others: list[Took] = []
    counts: dict[str, float] = {}
    runs_of = max(1, size.runs - 2)

    def ours() -> float:
        nonlocal counts
        took, counts = with_database(feed)
        runs.append(took)
        return took.per_second

    def theirs() -> float:
        others.append(baseline(feed.baseline))
        return others[-1].per_second

    rates, slow = in_turn(runs_of, ours, theirs)
    rate = found.figure(f"{name}, with DynamoDB Local", "events/s", rates)
    other = found.figure(f"{name}, the baseline", "events/s", slow)
    ratio = found.figure(f"{name}, ratio pair by pair", "x", ratios(rates, slow))
    _details(found, name, runs, counts)
    found.figure(
        f"{name}, baseline's processor time", "CPU s per 1,000 events", [1000 * one.cpu / one.records for one in others]
    )
    faster = feed.seconds / runs[-1].wall
    for _ in range(TRIES):
        refresh = 60 / faster
        took, counts = with_database(feed, refresh)
        game = refresh * feed.seconds / took.wall
        if 60 / NEAR < game < 60 * NEAR:
            break
        faster = math.sqrt(faster * feed.seconds / took.wall)  # in between: more writes make it slower, and so on
    note = f"refresh {refresh:.2f} s, {game:.0f} s of the game"
    real = found.figure(f"{name}, at real time's refresh", "events/s", took.per_second, note)
    found.figure(f"{name}, at real time's refresh, times the baseline", "x", real / other)
    _details(found, f"{name}, at real time's refresh", [took], counts)
    if name == "stable keys":
        cpu = 100_000 * took.cpu / took.records
        what = "consumer worker with the emulator's writes, times the baseline"
        found.target(what, Sense.LEAST, 50, ratio, "x", ratio)
        found.target("consumer worker at a full shard (1,000 events/s)", Sense.MOST, 25, cpu, "% of a core")
    return {f"{name}, DynamoDB Local": rate, f"{name}, baseline": other}


def _details(found: Findings, name: str, runs: list[Took], counts: dict[str, float]) -> None:
    writes = counts.get("headcount_consumer_player_writes_total", 0.0)
    level_events = sum(counts.get(f"headcount_consumer_records_total{{{one}}}", 0.0) for one in ("applied", "stale"))
    found.figure(
        f"{name}, writes per level event", "", writes / max(1.0, level_events), f"{writes:.0f} of {level_events:.0f}"
    )
    found.figure(f"{name}, processor time", "CPU s per 1,000 events", [1000 * one.cpu / one.records for one in runs])
    found.figure(f"{name}, memory (peak)", "MB", [one.memory for one in runs])
