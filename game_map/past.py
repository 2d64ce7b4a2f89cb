"""The bodies of the history's answers: made once a minute, however many ask, so that a CDN can keep them as long."""

from __future__ import annotations

import asyncio
import time
from math import ceil, fsum
from typing import TYPE_CHECKING, Any, NamedTuple

from game_map.answers import UnknownLevelError, encoded
from game_map.averages import DIGITS, minute_of
from game_map.board import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from game_map.board import Blur
    from game_map.boards import Boards
    from game_map.hour import Hour
    from game_map.ranges import Ranges

MOST_KEPT = 8  # answers on all levels; of 6 MB where 5,000 have players


class Told(NamedTuple):
    """A body as JSON, its entity tag, and for how many seconds it stands."""

    content: bytes
    tag: str
    seconds: int


class Past:
    """To be used in one event loop. All answers of a minute begin with what was known when the first was made."""

    def __init__(
        self, hour: Hour, ranges: Ranges, boards: Boards, blur: Blur, wall: Callable[[], float] = time.time
    ) -> None:
        self._hour, self._ranges, self._boards, self._blur, self._wall = hour, ranges, boards, blur, wall
        self._made_of = (0, 0)  # newest minute, changes of the hour
        self._head: dict[str, Any] = {}
        self._kept: dict[int, tuple[bytes, str]] = {}  # of all levels, by minutes
        self._one_at_a_time = asyncio.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether it was not looked yet what there is."""
        return self._boards.is_empty or not self._hour.is_looked_up

    async def all(self, minutes: int) -> Told:
        """Of all levels that had players in the last ``minutes``."""
        async with self._one_at_a_time:
            newest = self._newest()
            found = self._kept.get(minutes)
            if found is None:
                head, first = self._head, newest - (minutes - 1) * MINUTE
                found = await asyncio.to_thread(self._encoded, head, range(first, newest + 1, MINUTE))
                if head is self._head:
                    self._kept[minutes] = found
                    if len(self._kept) > MOST_KEPT:
                        del self._kept[next(iter(self._kept))]
            return Told(*found, self._stands(newest))

    async def level(self, level: str, minutes: int) -> Told:
        """Of one level. Raises `UnknownLevelError` and `UnreadableError`."""
        if level not in self._boards.newest.board.players:
            raise UnknownLevelError(level)
        newest = self._newest()
        head, first = self._head, newest - (minutes - 1) * MINUTE
        averages = await self._ranges.of(level, first, newest)
        body = {**head, "level": level, "minutes": minutes, "start": first, "averages": averages}
        return Told(*encoded(body), self._stands(newest))

    def _newest(self) -> int:
        newest = self._hour.newest(self._wall())
        if self._made_of != (newest, self._hour.changes):
            self._made_of = newest, self._hour.changes
            self._kept.clear()
            self._head = self._boards.newest.head()
        return newest

    def _stands(self, newest: int) -> int:
        now = self._wall()
        return ceil(newest + 2 * MINUTE - now) + 1 if newest == minute_of(now) - MINUTE else 1

    def _encoded(self, head: dict[str, Any], minutes: Sequence[int]) -> tuple[bytes, str]:
        """In a thread of its own: with thousands of levels it takes a while."""
        known = self._hour.minutes
        seen = [known.get(minute) for minute in minutes]
        empty: list[float | None] = [None if averages is None else 0 for averages in seen]
        told: dict[str, list[float | None]] = {}
        total: list[float | None] = []
        for at, averages in enumerate(seen):
            column = self._blur.averages(averages) if averages is not None else {}
            for level, average in column.items():
                row = told.get(level)
                if row is None:
                    row = told[level] = empty[:]
                row[at] = average
            # Of what is told: the whole would give a hidden number away.
            total.append(None if averages is None else round(fsum(filter(None, column.values())), DIGITS))
        fullest = sorted(told.items(), key=lambda one: (-sum(filter(None, one[1])), one[0]))
        levels = [{"id": level, "averages": averages} for level, averages in fullest]
        return encoded({**head, "minutes": len(minutes), "start": minutes[0], "total": total, "levels": levels})
