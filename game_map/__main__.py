"""The game map: what people see of Headcount. ``python -m game_map``."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry

from game_map.api import Api
from game_map.app import make_app
from game_map.board import Blur
from game_map.boards import Boards
from game_map.history import History
from game_map.lease import HISTORY, SNAPSHOTS, Lease
from game_map.limits import Limits
from game_map.loop import Loop
from game_map.ops import Ops
from game_map.publication import Bucket
from game_map.publisher import Publisher, Sources
from game_map.reading import Parts, Reading
from game_map.server import Server
from game_map.stream import Streams
from game_map.usage import Meter
from headcount.aws import Aws, verify_stream, verify_table_stream, verify_tables
from headcount.bucket import verify_bucket
from headcount.endpoints import Health, listening, serve
from headcount.event_stream import EventStream
from headcount.exposition import exposition
from headcount.metrics import MapMetrics
from headcount.process_metrics import BuildMetrics
from headcount.service import run_service
from headcount.table_stream import TableStream
from headcount.tables.counts import CountTables
from headcount.tables.history import HistoryTable
from headcount.tables.progress import ProgressTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from game_map.board import Board
    from headcount.lifecycle import Stop
    from headcount.settings import Settings

READERS = 8  # queries of Transitions at once
END_SECONDS = 5.0  # for what is being written
# Each stream is objects that live long: to look all of them through for cycles every 700 new ones is a fifth of a small
# task's time while clients come.
GC_THRESHOLDS = (50_000, 10, 10)

_log = structlog.get_logger()


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    hasty = aws.at_start()  # a look that fails is made again a second later
    tables = [settings.level_table, settings.transitions_table, settings.progress_table, settings.history_table]
    verify_tables(hasty, settings, tables)
    registry = CollectorRegistry()
    BuildMetrics(registry).tell("game_map")
    metrics = MapMetrics(registry)
    counts = CountTables(
        hasty.dynamodb, settings.level_table, settings.transitions_table, settings.transitions_retention_seconds
    )
    blur = Blur(settings.map_fewest)
    boards = Boards(blur)
    streams = Streams(boards, settings.map_streams, settings.map_address_streams)
    metrics.streams.set_function(lambda: streams.open)
    works: list[Callable[[Stop], None]] = []

    def lease(row: str) -> Lease:
        held = Lease(hasty.dynamodb, settings.progress_table, row, settings.failover_seconds)
        metrics.publishes.labels(what=row.partition("/")[2]).set_function(lambda: held.is_held)
        works.append(held.keep)
        return held

    writes_history = lease(HISTORY)
    kept = HistoryTable(hasty.dynamodb, settings.history_table, settings.history_retention_seconds)
    history = History.of(kept, lambda: writes_history.is_held, boards, blur, metrics)
    if settings.map_bucket is not None:
        bucket = _bucket(settings, hasty, settings.map_bucket)
        works.append(Publisher(_sources(settings, hasty, counts, blur), bucket, lease(SNAPSHOTS), metrics).run)
    meter = Meter(hasty.spending.units) if settings.map_ops else None
    reading = _reading(settings, hasty, counts, meter)
    listener = listening(settings.map_host, settings.map_port, "the map", ("map_host", "map_port"))
    limits = Limits(settings.map_rate, settings.map_burst)
    ops = Ops(meter, settings) if meter else None
    server = Server(make_app(settings, Api(boards, streams, history.past, ops), limits), boards, listener)

    def ready() -> Health:
        found = loop.ready()
        # What was read is shown a moment later, in the server's thread.
        return Health(["what was read is not shown yet"]) if boards.is_empty and not found.problems else found

    def publish(board: Board) -> None:
        history.recorder.see(board)
        server.publish(board)

    loop = Loop(reading, publish, metrics, stop)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    server.start()
    serve(
        settings.metrics_host,
        settings.metrics_port,
        lambda: exposition(registry, aws.metrics.registry),
        lambda: loop.healthy() if server.is_alive else Health(["the map is no longer served"]),
        ready,
    )
    history.start()
    _log.info("serving", host=settings.map_host, port=server.port)
    threads = [threading.Thread(target=work, args=(stop,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    loop.run()
    server.stop()
    for thread in threads:
        thread.join(END_SECONDS)
    _log.info("stopped")
    return 0


def _reading(settings: Settings, aws: Aws, counts: CountTables, meter: Meter | None) -> Reading:
    events = verify_stream(aws, settings.events_stream)
    arn, changes = verify_table_stream(aws, settings.player_table)
    return Reading(
        Parts(
            events=EventStream(aws.kinesis, settings.events_stream),
            changes=TableStream(aws.streams, arn),
            consumers=f"consumer/{events}/",
            aggregators=f"level_aggregator/{changes}/",
            progress=ProgressTable(aws.dynamodb, settings.progress_table),
            counts=counts,
            readers=ThreadPoolExecutor(READERS, "transitions"),
            meter=meter,
        )
    )


def _sources(settings: Settings, aws: Aws, counts: CountTables, blur: Blur) -> Sources:
    arn, identity = verify_table_stream(aws, settings.transitions_table)
    return Sources(counts, TableStream(aws.streams, arn), str(identity), blur, settings.map_snapshot_seconds)


def _bucket(settings: Settings, aws: Aws, name: str) -> Bucket:
    verify_bucket(aws, name)
    return Bucket(aws.s3, name, settings.map_prefix, round(settings.map_snapshot_seconds / 4))


if __name__ == "__main__":
    run_service("game_map", main)
