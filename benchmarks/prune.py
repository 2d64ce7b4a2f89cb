"""One process of the pruner's passes, measured: ``python -m benchmarks.prune ENDPOINT PASSES``; JSON on stdout."""

from __future__ import annotations

import sys
import time
from typing import Any, cast

import orjson
import structlog

from benchmarks.driver import FIRST_SHARD, peak_bytes
from benchmarks.places import STREAM, connect
from headcount.event_stream import EventStream
from headcount.rules import Shard
from headcount.settings import Settings
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from pruner.rate import Rate
from pruner.sweep import Sweep


class OneShard:
    """Stands for the events' stream, so that no Kinesis is needed."""

    def shards(self) -> list[Shard]:
        """One, open."""
        return [Shard(FIRST_SHARD, (), closed=False)]


def main() -> None:
    """Make the passes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("WARNING"))
    client, settings = connect(sys.argv[1]), Settings()
    pages = 0

    def count(**_: Any) -> None:
        nonlocal pages
        pages += 1

    client.meta.events.register("after-call.dynamodb.Scan", count)
    sweep = Sweep(
        settings,
        STREAM,
        cast("EventStream", OneShard()),
        PlayerTable(client, settings.player_table),
        ProgressTable(client, settings.progress_table),
        Rate(settings.prune_rate),
    )
    before = peak_bytes()
    passes = []
    for _ in range(int(sys.argv[2])):
        begun, pages = time.perf_counter(), 0
        cpu = time.process_time()
        swept = sweep.run()
        passes.append(
            {
                "seconds": time.perf_counter() - begun,
                "cpu": time.process_time() - cpu,
                "pages": pages,
                "pruned": swept.pruned,
                "complete": swept.complete,
            }
        )
    sys.stdout.buffer.write(orjson.dumps({"passes": passes, "before": before, "peak": peak_bytes()}))


if __name__ == "__main__":
    main()
