"""The game map: what people see of Headcount. ``python -m game_map``."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry

from game_map.app import make_app
from game_map.board import Blur
from game_map.boards import Boards
from game_map.limits import Limits
from game_map.loop import Loop
from game_map.ops import Ops
from game_map.reading import Parts, Reading
from game_map.server import Server
from game_map.stream import Streams
from game_map.usage import Meter
from headcount.aws import Aws, verify_stream, verify_table_stream, verify_tables
from headcount.endpoints import Health, listening, serve
from headcount.event_stream import EventStream
from headcount.exposition import exposition
from headcount.metrics import MapMetrics
from headcount.process_metrics import BuildMetrics
from headcount.service import run_service
from headcount.table_stream import TableStream
from headcount.tables.counts import CountTables
from headcount.tables.progress import ProgressTable

if TYPE_CHECKING:
    from headcount.lifecycle import Stop
    from headcount.settings import Settings

READERS = 8  # queries of Transitions at once
# Each stream is objects that live long: to look all of them through for cycles every 700 new ones is a fifth of a small
# task's time while clients come.
GC_THRESHOLDS = (50_000, 10, 10)

_log = structlog.get_logger()


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    hasty = aws.at_start()  # a look that fails is made again a second later
    events = verify_stream(hasty, settings.events_stream)
    arn, changes = verify_table_stream(hasty, settings.player_table)
    verify_tables(hasty, settings, [settings.level_table, settings.transitions_table, settings.progress_table])
    registry = CollectorRegistry()
    BuildMetrics(registry).tell("game_map")
    metrics = MapMetrics(registry)
    meter = Meter(hasty.spending.units) if settings.map_ops else None
    reading = Reading(
        Parts(
            events=EventStream(hasty.kinesis, settings.events_stream),
            changes=TableStream(hasty.streams, arn),
            consumers=f"consumer/{events}/",
            aggregators=f"level_aggregator/{changes}/",
            progress=ProgressTable(hasty.dynamodb, settings.progress_table),
            counts=CountTables(
                hasty.dynamodb, settings.level_table, settings.transitions_table, settings.transitions_retention_seconds
            ),
            readers=ThreadPoolExecutor(READERS, "transitions"),
            meter=meter,
        )
    )
    boards = Boards(Blur(settings.map_fewest))
    streams = Streams(boards, settings.map_streams)
    limits = Limits(settings.map_rate, settings.map_burst)
    metrics.streams.set_function(lambda: streams.open)
    listener = listening(settings.map_host, settings.map_port, "the map", ("map_host", "map_port"))
    ops = Ops(meter, settings) if meter else None
    server = Server(make_app(settings, boards, streams, limits, ops), boards, listener)
    loop = Loop(reading, server.publish, metrics, stop)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    server.start()
    serve(
        settings.metrics_host,
        settings.metrics_port,
        lambda: exposition(registry, aws.metrics.registry),
        lambda: loop.healthy() if server.is_alive else Health(["the map is no longer served"]),
        loop.ready,
    )
    _log.info("serving", host=settings.map_host, port=server.port)
    loop.run()
    server.stop()
    _log.info("stopped")
    return 0


if __name__ == "__main__":
    run_service("game_map", main)
