"""One worker process of the level aggregator, through the real protocol."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import orjson

from benchmarks import load
from benchmarks.driver import Took, batches
from benchmarks.places import database, worker
from benchmarks.results import Chart, Findings, Sense, in_turn, ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.places import Size
    from headcount.model import Record

RECORDS, WARM, BATCH = 40_000, 4_000, 1_000
BASELINE_RECORDS = 2_000
RENEWAL_SECONDS = 63.0  # what a refresh of 60 s comes to at an event every 3 s
Image = dict[str, dict[str, str]]
METHOD = f"""The real worker (`python -m level_aggregator.worker`) over pipes, in batches of {BATCH:,} stream
records (the most that the adapter hands over), as the standard load's PlayerState makes them: per player and level
one change and four renewals, a hot level that draws every fifth player who moves on from another one. {RECORDS:,}
records after {WARM:,} that are not timed. "Changes only": no renewals, so that each record changes two counts.
Without database time and with DynamoDB Local as for the consumer. The baseline takes the same records one at a time
(of the first {BASELINE_RECORDS:,}), and makes three updates per change."""


def stream_records(count: int, *, renewals: bool, seed: int = 7) -> list[Record]:
    """So many records of PlayerState's stream, as the adapter hands them over, under the standard load.

    The last ones are of now: a worker that is a day late asks the stream, batch by batch, whether it has lost anything.
    """
    shape = load.STANDARD
    rng = random.Random(seed)
    levels = load.Levels(shape, rng)
    visit = 60.0 * shape.events_per_level / shape.per_minute
    per_visit = 1 + (int(visit / RENEWAL_SECONDS) if renewals else 0)
    seconds = 1.2 * count / per_visit / shape.players * visit + visit
    begin = time.time_ns() // 1_000_000 - round(seconds * 1000)
    found: list[tuple[float, int, int, int]] = []  # when, player, level before (itself: a renewal), level
    for player in range(shape.players):
        at, level = rng.uniform(-2 * visit, -visit), levels.draw(None)
        while at < seconds:
            before, level = level, levels.draw(level)
            found.append((at, player, before, level))
            if renewals:
                found += [(at + n * RENEWAL_SECONDS, player, level, level) for n in range(1, per_visit)]
            at += visit * rng.uniform(0.9, 1.1)
    found = sorted(one for one in found if one[0] >= 0)
    last: dict[int, float] = {}
    made = []
    for number, (when, player, before, level) in enumerate(found[:count], start=1):
        at = begin + round(when * 1000)
        old = _image(player, before, begin + round(last.get(player, when - RENEWAL_SECONDS) * 1000))
        made.append(_record(number, player, old, _image(player, level, at), at))
        last[player] = when
    return made


def _image(player: int, level: int, at: int) -> Image:
    ids = {"playerId": {"S": load.player_id(player)}, "levelId": {"S": load.level_id(level)}}
    return {**ids, "lastUpdated": {"N": str(at)}}


def _record(number: int, player: int, old: Image, new: Image, at: int) -> Record:
    change = {
        "ApproximateCreationDateTime": at + load.PIPELINE_MS,
        "Keys": {"playerId": {"S": load.player_id(player)}},
        "NewImage": new,
        "OldImage": old,
        "SequenceNumber": f"{10**20 + number}",
        "SizeBytes": 190,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    told = {
        "awsRegion": "us-east-1",
        "dynamodb": change,
        "eventID": f"{number:032x}",
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventVersion": "1.1",
    }
    return load.record(orjson.dumps(told), number, at + load.PIPELINE_MS)


class Feed:
    """Records as lines, warm-up first."""

    def __init__(self, size: Size, *, renewals: bool) -> None:
        warm, count = size.of(WARM), size.of(RECORDS)
        records = stream_records(warm + count, renewals=renewals)
        self.warm, self.timed = records[:warm], records[warm:]
        self.baseline = self.timed[: size.of(BASELINE_RECORDS)]


def without_database(feed: Feed) -> Took:
    """A run of the worker whose AWS answers at once."""
    with worker("benchmarks.instant", "level_aggregator.worker", "PlayerState@1") as started:
        started.feed(batches(feed.warm, BATCH), len(feed.warm))
        return started.feed(batches(feed.timed, BATCH), len(feed.timed), drain=True)


def with_database(feed: Feed) -> tuple[Took, dict[str, float]]:
    """A run on a fresh server, and what its counters counted."""
    with (
        database() as base,
        worker("level_aggregator.worker", base.player_identity, endpoint_url=base.endpoint_url) as started,
    ):
        started.feed(batches(feed.warm, BATCH), len(feed.warm))
        before = started.totals()
        took = started.feed(batches(feed.timed, BATCH), len(feed.timed), drain=True)
        return took, {name: value - before.get(name, 0.0) for name, value in started.totals().items()}


def baseline(records: Sequence[Record]) -> Took:
    """A run of the tutorial's algorithm on a fresh server."""
    with (
        database() as base,
        worker("benchmarks.tutorial", "aggregator", endpoint_url=base.endpoint_url) as started,
    ):
        return started.feed(batches(records, BATCH), len(records), drain=True)


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("One aggregator worker, through the real protocol", METHOD)
    bars: dict[str, float] = {}
    for renewals, name in ((True, "standard load"), (False, "changes only")):
        bars |= _of(found, size, Feed(size, renewals=renewals), name)
    labels, values = tuple(bars), tuple(bars.values())
    title = "One aggregator worker: stream records a second"
    found.charts.append(Chart("aggregator", title, labels, {"records/s": values}, logarithmic=True))
    return found


def _of(found: Findings, size: Size, feed: Feed, name: str) -> dict[str, float]:
    tooks = [without_database(feed) for _ in range(size.runs)]
    alone = found.figure(f"{name}, without database time", "records/s", [took.per_second for took in tooks])
    found.figure(
        f"{name}, without database, processor time",
        "CPU s per 1,000 records",
        [1000 * took.cpu / took.records for took in tooks],
    )
    runs: list[Took] = []
    counts: dict[str, float] = {}

    def ours() -> float:
        nonlocal counts
        took, counts = with_database(feed)
        runs.append(took)
        return took.per_second

    rates, slow = in_turn(max(1, size.runs - 2), ours, lambda: baseline(feed.baseline).per_second)
    rate = found.figure(f"{name}, with DynamoDB Local", "records/s", rates)
    other = found.figure(f"{name}, the baseline", "records/s", slow)
    ratio = found.figure(f"{name}, ratio pair by pair", "x", ratios(rates, slow))
    changes = counts.get("headcount_aggregator_changes_total{transition}", 0.0)
    applied = counts.get("headcount_aggregator_transactions_total{applied}", 1.0)
    note = f"{changes:.0f} in {applied:.0f}"
    each = found.figure(f"{name}, level changes per transaction", "", changes / applied, note)
    found.figure(
        f"{name}, processor time", "CPU s per 1,000 records", [1000 * took.cpu / took.records for took in runs]
    )
    found.figure(f"{name}, memory (peak)", "MB", [took.memory for took in runs])
    if name == "standard load":
        found.target("aggregator worker without database time", Sense.LEAST, 30_000, alone, "records/s")
        found.target("aggregator worker with the emulator, times the baseline", Sense.LEAST, 20, ratio, "x", ratio)
        found.target("level changes per transaction, working through a backlog", Sense.LEAST, 40, each, "")
    return {f"{name}, no database": alone, f"{name}, DynamoDB Local": rate, f"{name}, baseline": other}
