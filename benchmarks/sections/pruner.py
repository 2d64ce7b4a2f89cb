"""One pass of the pruner over a PlayerState of many rows."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks import load
from benchmarks.driver import FIRST_SHARD, MEGABYTE, ROOT
from benchmarks.places import STREAM, database
from benchmarks.results import Chart, Findings, Sense
from headcount.model import Progress
from headcount.tables.progress import ProgressTable
from pruner.sweep import SEGMENTS

if TYPE_CHECKING:
    from benchmarks.places import Database, Size

ROWS, MOST_ROWS = (10_000, 100_000), 1_000_000
HEAP_MEGABYTES = 3072
AT_ONCE, THREADS = 25, 8
IDLE = 100  # players who leave in the first pass
WATERMARK = load.BEGIN_MS + 3_600_000
METHOD = f"""`Sweep.run` in a process of its own against DynamoDB Local (fresh for each size, PlayerState without a
stream, to load it faster): a parallel scan of {SEGMENTS} segments. In the first pass {IDLE} players leave (at
HEADCOUNT_PRUNE_RATE, 200 a second), in the others nobody. Pages are the scan's reads, 1 MB each in DynamoDB; memory
is the process' peak, and what it had before the first pass. 1,000,000 rows only with `--full`: DynamoDB Local takes
long to load them."""


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("A pass of the pruner", METHOD)
    rows = [size.of(count) for count in (*ROWS, *([MOST_ROWS] if size.full else []))]
    seconds: list[float] = []
    for count in rows:
        with database(heap_megabytes=HEAP_MEGABYTES, streams=False) as base:
            took = _fill(base, count)
            found.figure(f"{count:,} rows: to load them", "s", took)
            command = [sys.executable, "-m", "benchmarks.prune", base.endpoint_url, str(max(2, size.runs))]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
        told: dict[str, Any] = orjson.loads(done.stdout)
        first, *others = told["passes"]
        if first["pruned"] != IDLE or not first["complete"]:
            raise AssertionError(f"the first pass was {first}")
        found.figure(f"{count:,} rows: pass in which {IDLE} leave", "s", first["seconds"])
        seconds.append(found.figure(f"{count:,} rows: pass", "s", [one["seconds"] for one in others]))
        found.figure(f"{count:,} rows: pass, processor time", "CPU s", [one["cpu"] for one in others])
        found.figure(f"{count:,} rows: reads", "pages", others[0]["pages"])
        note = f"{told['before'] / MEGABYTE:.0f} before the first pass"
        found.figure(f"{count:,} rows: memory (peak)", "MB", told["peak"] / MEGABYTE, note)
    what = "pruner, one pass over 1,000,000 rows"
    if not size.full:
        what += f" (reckoned from {rows[-1]:,}; --full measures it)"
    found.target(what, Sense.MOST, 60, seconds[-1] * MOST_ROWS / rows[-1], "s")
    labels = tuple(f"{count:,}" for count in rows)
    found.charts.append(Chart("pruner", "A pass by rows of PlayerState: seconds", labels, {"s": tuple(seconds)}))
    return found


def _fill(base: Database, count: int) -> float:
    begun = time.monotonic()
    ProgressTable(base.client, base.settings.progress_table).move(
        f"consumer/{STREAM}/{FIRST_SHARD}", Progress(), Progress(watermark=WATERMARK, settled=WATERMARK, updated_at=1)
    )
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(_put, base, count), range(0, count, AT_ONCE)))
    return time.monotonic() - begun


def _put(base: Database, count: int, first: int) -> None:
    requests: list[Any] = [{"PutRequest": {"Item": _row(n)}} for n in range(first, min(count, first + AT_ONCE))]
    while requests:
        answer = base.client.batch_write_item(RequestItems={base.settings.player_table: requests})
        requests = answer.get("UnprocessedItems", {}).get(base.settings.player_table, [])


def _row(number: int) -> dict[str, Any]:
    at = load.BEGIN_MS if number < IDLE else WATERMARK
    return {
        "playerId": {"S": load.player_id(number)},
        "levelId": {"S": load.level_id(number % load.STANDARD.levels)},
        "lastUpdated": {"N": str(at)},
    }
