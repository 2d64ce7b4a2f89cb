"""The last hour's averages, in memory: seen by this process, or read from the table where another one saw them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from game_map.averages import minute_of
from game_map.board import MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from game_map.averages import Averages
    from game_map.board import Board

MINUTES = 60
HOUR = MINUTES * MINUTE  # s
GRACE_SECONDS = 10.0  # after a minute's end, for a look that ends it; then it counts as over, seen or not


class Hour:
    """From and to any thread: what was handed out never changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.board: Board | None = None  # the newest one
        self.minutes: Mapping[int, Averages] = {}  # by start (epoch s); those that are not there were not seen
        self.changes = 0  # so often the minutes became others
        self.is_looked_up = False  # what others saw was asked for, at least once

    def look(self, board: Board, ended: Mapping[int, Averages]) -> None:
        """The newest board, and the minutes that ended before it, as this process saw them."""
        with self._lock:
            if ended:
                self._keep({**self.minutes, **ended}, minute_of(board.version / 1000))
            self.board = board  # last: whoever finds it finds what ended before it

    def learn(self, told: Mapping[int, Averages]) -> None:
        """Minutes as others saw them, or some levels of them; what is known already stays."""
        with self._lock:
            known = dict(self.minutes)
            for minute, averages in told.items():
                known[minute] = {**averages, **known.get(minute, {})}
            self._keep(known, self._looked_in() or max(known, default=0) + MINUTE)

    def newest(self, now: float) -> int:
        """The newest whole minute that can be told of at ``now`` (epoch s)."""
        last = minute_of(now) - MINUTE
        is_over = self._looked_in() == last + MINUTE or now - last - MINUTE >= GRACE_SECONDS
        return last if is_over else last - MINUTE

    def _looked_in(self) -> int:
        return minute_of(self.board.version / 1000) if self.board is not None else 0

    def _keep(self, minutes: Mapping[int, Averages], under_way: int) -> None:
        self.minutes = {minute: minutes[minute] for minute in sorted(minutes) if 0 < under_way - minute <= HOUR}
        self.changes += 1
