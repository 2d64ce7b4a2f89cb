"""The game map: what people see of Headcount. ``python -m game_map``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry

from game_map.app import make_app
from game_map.backfill import Backfill
from game_map.board import Blur
from game_map.boards import Boards
from game_map.hour import Hour
from game_map.limits import Limits
from game_map.loop import Loop
from game_map.past import Past
from game_map.ranges import Ranges
from game_map.reading import Parts, Reading
from game_map.recorder import Recorder
from game_map.server import Server
from game_map.stream import Streams
from headcount.aws import Aws, verify_stream, verify_table_stream, verify_tables
from headcount.companion import Companion
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
    from game_map.board import Board
    from headcount.lifecycle import Stop
    from headcount.settings import Settings

READERS = 8  # queries of Transitions at once
BACKFILLERS, HISTORIANS = 4, 2  # queries of the history at once: of the last hour, of what somebody asks for

_log = structlog.get_logger()


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    hasty = aws.at_start()  # a look that fails is made again a second later
    events = verify_stream(hasty, settings.events_stream)
    arn, changes = verify_table_stream(hasty, settings.player_table)
    tables = [settings.level_table, settings.transitions_table, settings.progress_table, settings.history_table]
    verify_tables(hasty, settings, tables)
    registry = CollectorRegistry()
    BuildMetrics(registry).tell("game_map")
    metrics = MapMetrics(registry)
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
        )
    )
    blur, hour = Blur(settings.map_fewest), Hour()
    boards = Boards(blur)
    streams = Streams(boards, settings.map_streams)
    limits = Limits(settings.map_rate, settings.map_burst)
    metrics.streams.set_function(lambda: streams.open)
    history = HistoryTable(hasty.dynamodb, settings.history_table, settings.history_retention_seconds)
    recorder = Recorder(hour, history, lambda: True, metrics)
    backfill = Backfill(hour, history, ThreadPoolExecutor(BACKFILLERS, "backfill"))
    past = Past(hour, Ranges(hour, history, blur, ThreadPoolExecutor(HISTORIANS, "history"), metrics), boards, blur)
    listener = listening(settings.map_host, settings.map_port, "the map", ("map_host", "map_port"))
    server = Server(make_app(settings, boards, streams, limits, past), boards, listener)

    def publish(board: Board) -> None:
        recorder.see(board)
        server.publish(board)

    loop = Loop(reading, publish, metrics, stop)
    server.start()
    serve(
        settings.metrics_host,
        settings.metrics_port,
        lambda: exposition(registry, aws.metrics.registry),
        lambda: loop.healthy() if server.is_alive else Health(["the map is no longer served"]),
        loop.ready,
    )
    Companion("history", recorder.turn).start()
    Companion("backfill", backfill.turn).start()
    _log.info("serving", host=settings.map_host, port=server.port)
    loop.run()
    server.stop()
    _log.info("stopped")
    return 0


if __name__ == "__main__":
    run_service("game_map", main)
