"""The history, put together: from the looks into the table, and out of it to those who ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from game_map.backfill import Backfill
from game_map.hour import Hour
from game_map.past import Past
from game_map.ranges import Ranges
from game_map.recorder import Recorder
from headcount.companion import Companion

if TYPE_CHECKING:
    from collections.abc import Callable

    from game_map.board import Blur
    from game_map.boards import Boards
    from headcount.metrics import MapMetrics
    from headcount.tables.history import HistoryTable

BACKFILLERS, HISTORIANS = 4, 2  # queries at once: of the last hour, of what somebody asks for


@dataclass(frozen=True)
class History:
    """``recorder`` is told of each board, ``past`` answers."""

    recorder: Recorder
    backfill: Backfill
    past: Past

    @classmethod
    def of(
        cls, table: HistoryTable, is_held: Callable[[], bool], boards: Boards, blur: Blur, metrics: MapMetrics
    ) -> History:
        """``is_held``: whether this process is the one that writes."""
        hour = Hour()
        ranges = Ranges(hour, table, blur, ThreadPoolExecutor(HISTORIANS, "history"), metrics)
        return cls(
            Recorder(hour, table, is_held, metrics),
            Backfill(hour, table, ThreadPoolExecutor(BACKFILLERS, "backfill")),
            Past(hour, ranges, boards, blur),
        )

    def start(self) -> None:
        """Write, and look up what others saw, beside all else, until the process ends."""
        Companion("history", self.recorder.turn).start()
        Companion("backfill", self.backfill.turn).start()
