"""Reads what the map shows, once for all who look: first as of when it will be, then counts, then moves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from game_map.board import MINUTE, Board
from game_map.marks import AsOf, counted_by, stream_shards_to_wait_for, written_by
from headcount.rules import shards_to_wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from game_map.board import Move
    from game_map.usage import Meter
    from headcount.event_stream import EventStream
    from headcount.table_stream import TableStream
    from headcount.tables.counts import CountTables
    from headcount.tables.progress import ProgressTable

MINUTES = 60  # that moves are shown of, at most
LIST_SECONDS = 10.0  # between two looks at which shards there are


@dataclass(frozen=True)
class Parts:
    """What is read; the names are those of rows of StreamProgress, ``consumer/<stream>@<created>/`` for one."""

    events: EventStream
    changes: TableStream
    consumers: str
    aggregators: str
    progress: ProgressTable
    counts: CountTables
    readers: Executor
    meter: Meter | None = None
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Reading:
    """To be used from one thread. `look` raises botocore's errors once retries are used up, and `MalformedRowError`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._as_of = AsOf()
        self._consumers: list[str] = []
        self._aggregators: list[str] = []
        self._listed_at = float("-inf")
        self._moves: dict[int, Mapping[Move, int]] = {}
        self._looks = 0

    def look(self) -> Board:
        """Everything as it is now."""
        parts = self._parts
        if parts.monotonic() - self._listed_at >= LIST_SECONDS:
            self._list()
        rows = parts.progress.read_many([*self._consumers, *self._aggregators])
        as_of = self._as_of.look(
            written_by(rows.get(worker) for worker in self._consumers),
            counted_by(rows.get(worker) for worker in self._aggregators),
        )
        now = parts.wall()
        if parts.meter is not None and parts.meter.is_due(now):
            parts.meter.look(now, rows, parts.progress.cutoff().units)
        # A count below 0 is the audit's affair.
        players = {level: max(0, count.players) for level, count in parts.counts.levels().items()}
        # After the counts, so that a count that is shown never lacks the moves that made it.
        self._look_at_moves(int(parts.wall()) // MINUTE * MINUTE)
        return Board(round(parts.wall() * 1000), as_of, players, dict(self._moves))

    def _list(self) -> None:
        """Which shards count."""
        parts = self._parts
        consumed = parts.progress.read_all(parts.consumers)
        self._consumers = [parts.consumers + shard for shard in shards_to_wait_for(parts.events.shards(), consumed)]
        counted = parts.progress.read_all(parts.aggregators)
        open_shards = stream_shards_to_wait_for(parts.changes.listing(), counted)
        self._aggregators = [parts.aggregators + shard for shard in open_shards]
        self._listed_at = parts.monotonic()

    def _look_at_moves(self, newest: int) -> None:
        """At first at all minutes; then at this one, the one before, and in turn at an older one: leaves come late."""
        minutes = [newest - n * MINUTE for n in range(MINUTES)]
        older = minutes[2 + self._looks % (MINUTES - 2)]
        wanted = {newest, minutes[1], older} if self._moves else set(minutes)
        wanted |= {minute for minute in minutes if minute not in self._moves}
        self._looks += 1
        found = self._parts.readers.map(self._parts.counts.transitions_of, sorted(wanted))
        read = dict(zip(sorted(wanted), found, strict=True))
        self._moves = {minute: read[minute] if minute in read else self._moves[minute] for minute in sorted(minutes)}
