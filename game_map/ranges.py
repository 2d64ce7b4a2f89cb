"""Longer ranges of one level's history, read from the table: few at once, each kept for an hour.

The newest hour is in memory (`game_map.hour`), and older minutes don't change. So what was read of a level serves until
a minute is asked for that neither has; however many clients ask, a level is read once.
"""

from __future__ import annotations

import asyncio
import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from game_map.board import MINUTE
from game_map.hour import HOUR
from headcount.tables import MalformedRowError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from game_map.board import Blur
    from game_map.hour import Hour
    from headcount.metrics import MapMetrics
    from headcount.tables.history import HistoryTable

LENGTHS = (360 * MINUTE, 1440 * MINUTE, 10_080 * MINUTE)  # that are read, whatever is asked for
MOST_KEPT = 64  # levels; of 80 kB at most
MOST_READING = 16  # levels at a time, those that wait among them


class UnreadableError(Exception):
    """The table could not be read, or is being read for too many; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Span:
    """A level's minutes from ``first`` on, as they may be told; nan: nothing is told."""

    first: int
    values: array[float]

    @property
    def end(self) -> int:
        """The first minute beyond it."""
        return self.first + len(self.values) * MINUTE


class Ranges:
    """To be used in one event loop; ``readers`` read for it."""

    def __init__(self, hour: Hour, table: HistoryTable, blur: Blur, readers: Executor, metrics: MapMetrics) -> None:
        self._hour, self._table, self._blur, self._readers, self._metrics = hour, table, blur, readers, metrics
        self._kept: OrderedDict[str, Span] = OrderedDict()
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._seen = _Seen(table)

    async def of(self, level: str, first: int, newest: int) -> list[float | None]:
        """The level's averages of the minutes from ``first`` to ``newest``. Raises `UnreadableError`."""
        if first <= newest - HOUR:
            await self._read_unless_kept(level, first, newest)
        known = self._hour.minutes
        span = self._kept.get(level, Span(newest + MINUTE, array("d")))
        told = [None if isnan(value) else value for value in _part(span, first, newest)]
        for minute in known:
            if first <= minute <= newest:
                told[(minute - first) // MINUTE] = self._blur.average(known[minute].get(level))
        return told

    async def _read_unless_kept(self, level: str, first: int, newest: int) -> None:
        while not self._serves(level, first, newest):
            task = self._reading.get(level)
            if task is None:
                if len(self._reading) >= MOST_READING:
                    self._metrics.history_reads.labels(result="refused").inc()
                    raise UnreadableError("The history is being read for many others. Try again in a moment.")
                length = next(length for length in LENGTHS if length >= newest + MINUTE - first)
                task = asyncio.create_task(self._read(level, newest + MINUTE - length, newest))
                task.add_done_callback(lambda done: done.cancelled() or done.exception())  # told, or nobody waits
                self._reading[level] = task
            await asyncio.shield(task)  # it is read to its end for others, though this client is gone

    def _serves(self, level: str, first: int, newest: int) -> bool:
        span = self._kept.get(level)
        if span is None or span.first > first or span.end <= newest - HOUR:
            return False
        self._kept.move_to_end(level)
        return True

    async def _read(self, level: str, first: int, newest: int) -> None:
        try:
            reading = asyncio.get_running_loop().run_in_executor(self._readers, self._query, level, first, newest)
            self._kept[level] = await reading
        except (BotoCoreError, ClientError, MalformedRowError) as error:
            self._metrics.history_reads.labels(result="failed").inc()
            raise UnreadableError("The table of the history can't be read now. Try again in a moment.") from error
        finally:
            del self._reading[level]
        self._metrics.history_reads.labels(result="ok").inc()
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _query(self, level: str, first: int, newest: int) -> Span:
        """In a thread of its own."""
        least = max(first, newest - self._table.retention_seconds // MINUTE * MINUTE)  # older rows may be half deleted
        seen = self._seen.since(least, newest)
        averages = self._table.averages(level, least, newest)
        values = array("d", [nan]) * ((newest - first) // MINUTE + 1)
        for minute in seen:
            told = self._blur.average(averages.get(minute)) if least <= minute <= newest else None
            if told is not None:
                values[(minute - first) // MINUTE] = told
        return Span(first, values)


class _Seen:
    """Which minutes were written, of all levels alike, so read once for them all."""

    def __init__(self, table: HistoryTable) -> None:
        self._table, self._lock = table, threading.Lock()
        self._first, self._newest, self._minutes = 0, -1, frozenset[int]()

    def since(self, first: int, newest: int) -> frozenset[int]:
        """Of at least the minutes from ``first`` to an hour before ``newest``."""
        with self._lock:
            if not self._first <= first <= newest - HOUR <= self._newest:
                self._minutes = frozenset(self._table.seen(first, newest))
                self._first, self._newest = first, newest
            return self._minutes


def _part(span: Span, first: int, newest: int) -> array[float]:
    """The minutes from ``first`` to ``newest``, unknown ones as nan."""
    found = array("d", [nan]) * ((newest - first) // MINUTE + 1)
    begin, end = max(first, span.first), min(newest + MINUTE, span.end)
    if begin < end:
        found[(begin - first) // MINUTE : (end - first) // MINUTE] = span.values[
            (begin - span.first) // MINUTE : (end - span.first) // MINUTE
        ]
    return found
