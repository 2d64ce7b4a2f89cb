"""Makes minutes of looks, keeps them for an hour, and writes them where this process is the one that publishes.

Writing goes on beside the looks, in a companion. A minute that can't be written now is written later, as long as it is
kept. Whoever publishes anew writes what it saw itself and the one before it did not write.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from game_map.averages import Averaging, Ended
from game_map.hour import MINUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from game_map.board import Board
    from game_map.hour import Hour
    from headcount.metrics import MapMetrics
    from headcount.tables.history import HistoryTable

PAUSE_SECONDS = 1.0


class Recorder:
    """``see`` is for the thread that looks, ``turn`` for a companion; ``is_held``: whether this process publishes."""

    def __init__(
        self,
        hour: Hour,
        table: HistoryTable,
        is_held: Callable[[], bool],
        metrics: MapMetrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hour, self._table, self._is_held, self._metrics = hour, table, is_held, metrics
        self._monotonic = monotonic
        self._averaging = Averaging()
        self._lock = threading.Lock()
        self._waiting: deque[Ended] = deque()
        self._published = False

    def see(self, board: Board) -> None:
        """What was just read."""
        ended = self._averaging.look(board.version / 1000, self._monotonic(), board.players)
        seen = {minute: averages for minute, averages in ended if averages is not None}
        self._hour.look(board, seen)
        for one in ended:
            if one.averages is None:
                self._metrics.history_periods.labels(result="unseen").inc()
            else:
                self._wait_with(one)

    def turn(self) -> float:
        """Write what waits; raises what the table does."""
        if not self._is_held():
            self._published = False
            return PAUSE_SECONDS
        try:
            if not self._published:
                self._leave_out_what_is_written()
                self._published = True
            while self._is_held() and self._write_oldest():
                pass
        except Exception:
            self._metrics.history_periods.labels(result="failed").inc()
            raise
        return PAUSE_SECONDS

    def _wait_with(self, ended: Ended) -> None:
        with self._lock:
            self._waiting.append(ended)
            if len(self._waiting) > MINUTES:
                self._waiting.popleft()
                if self._is_held():
                    self._metrics.history_periods.labels(result="lost").inc()

    def _leave_out_what_is_written(self) -> None:
        with self._lock:
            minutes = [ended.minute for ended in self._waiting]
        if minutes:
            written = self._table.seen(min(minutes), max(minutes))
            with self._lock:
                self._waiting = deque(ended for ended in self._waiting if ended.minute not in written)

    def _write_oldest(self) -> bool:
        """Whether there was one."""
        with self._lock:
            oldest = self._waiting[0] if self._waiting else None
        if oldest is None or oldest.averages is None:
            return False
        self._table.write(oldest.minute, oldest.averages)
        self._metrics.history_periods.labels(result="written").inc()
        with self._lock:
            if self._waiting and self._waiting[0] is oldest:
                self._waiting.popleft()
        return True
