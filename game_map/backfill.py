"""Reads what this process did not see of the last hour: at its start all of it, later a minute that others saw.

Most levels of a game are empty. Those that have players, or had some who moved on within the hour, are read at once;
the others in no hurry, since hardly one of them can have a row.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from game_map.averages import minute_of
from game_map.board import MINUTE
from game_map.hour import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor

    from game_map.averages import Averages
    from game_map.board import Board
    from game_map.hour import Hour
    from headcount.model import Average
    from headcount.tables.history import HistoryTable

BEFORE_A_LOOK = 0.1  # s
WRITTEN_SECONDS = 10.0  # after its end a minute is in the table, if all is well
UNHURRIED = 20  # levels a second


class Backfill:
    """`turn` is for a companion."""

    def __init__(
        self, hour: Hour, table: HistoryTable, readers: Executor, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._hour, self._table, self._readers, self._sleep = hour, table, readers, sleep

    def turn(self) -> float:
        """Read what is missing; raises what the table does."""
        board = self._hour.board
        if board is None:
            return BEFORE_A_LOOK
        try:
            self._look_up(board)
        finally:
            self._hour.is_looked_up = True
        return MINUTE - board.version / 1000 % MINUTE + WRITTEN_SECONDS

    def _look_up(self, board: Board) -> None:
        under_way = minute_of(board.version / 1000)
        missing = self._table.seen(under_way - HOUR, under_way - MINUTE) - self._hour.minutes.keys()
        if not missing:
            return
        near = busy(board)
        self._hour.learn(self._read(near, missing))
        self._hour.is_looked_up = True
        far = sorted(board.players.keys() - near)
        for first in range(0, len(far), UNHURRIED):
            self._sleep(1)
            found = self._read(far[first : first + UNHURRIED], missing)
            if any(found.values()):
                self._hour.learn(found)

    def _read(self, levels: Iterable[str], minutes: set[int]) -> dict[int, Averages]:
        found: dict[int, dict[str, Average]] = {minute: {} for minute in minutes}
        first, last, levels = min(minutes), max(minutes), list(levels)
        read = self._readers.map(lambda level: self._table.averages(level, first, last), levels)
        for level, averages in zip(levels, read, strict=True):
            for minute in averages.keys() & minutes:
                found[minute][level] = averages[minute]
        return dict(found)


def busy(board: Board) -> set[str]:
    """Levels that have players, or that players moved to or from within the hour."""
    moved = {level for moves in board.moves.values() for move in moves for level in move if level is not None}
    return board.crowd.keys() | moved & board.players.keys()
