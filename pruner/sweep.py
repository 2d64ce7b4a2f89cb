"""One pass of the pruner: publish cutoff and stream time, then delete who was last seen before the cutoff (rule 6)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from headcount import rules
from headcount.spending import Untold, nothing
from pruner.waiting import Waiting, waiting_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from headcount.event_stream import EventStream
    from headcount.model import Cutoff
    from headcount.settings import Settings
    from headcount.tables.players import PlayerTable
    from headcount.tables.progress import ProgressTable
    from pruner.rate import Rate

SEGMENTS = 8  # of the parallel scan; a million rows took half as long as with 4 (docs/benchmarks/notes.md)

_log = structlog.get_logger()


@dataclass(frozen=True)
class Swept:
    """What a pass did."""

    cutoff: int | None
    rose: bool
    waiting: list[Waiting]
    pruned: int = 0
    returned: int = 0
    complete: bool = False


class _StoppedError(Exception):
    """The pass shall end now."""


class Sweep:
    """The pruner's work on one stream. ``identity``: ``name@created``. Several may run at once, anywhere."""

    def __init__(
        self,
        settings: Settings,
        identity: str,
        stream: EventStream,
        players: PlayerTable,
        progress: ProgressTable,
        rate: Rate,
        wall: Callable[[], float] = time.time,
        pool: Callable[[int], Executor] = ThreadPoolExecutor,
        spent: Callable[[], float] = nothing,
    ) -> None:
        self._settings, self._identity = settings, identity
        self._stream, self._players, self._progress = stream, players, progress
        self._rate, self._wall, self._pool = rate, wall, pool
        self._untold = Untold(spent)

    def run(self, stopping: Callable[[], bool] = lambda: False) -> Swept:
        """One pass; raises botocore's errors and `MalformedRowError`. The cutoff rises *before* anything is deleted.

        ``stopping`` is asked for each page and before each delete: a pass cut short is not complete, and the next one
        goes on.
        """
        settings, before = self._settings, self._progress.cutoff()
        # The rows first: a shard that is split, and read to its end, between the two looks still stands in its row as
        # not ended, and is waited for; the other way about, its children would be on no list.
        rows = self._progress.read_all(f"consumer/{self._identity}/")
        counted = rules.shards_to_wait_for(self._stream.shards(), rows)
        reading = [rows.get(shard) for shard in counted]
        now = round(self._wall() * 1000)
        stream_time = rules.stream_time(reading, rows.values(), before.stream_time, settings.max_silence_ms)
        proposed = rules.cutoff(counted, rows, settings.idle_timeout_ms, settings.allowed_lateness_ms)
        rose = proposed is not None and (before.cutoff is None or proposed > before.cutoff)
        waiting = waiting_for(counted, rows, stream_time, now, settings)
        why = "" if rose else "; ".join(str(shard) for shard in waiting)
        published = self._publish(stream_time, proposed, why, now)
        if published.cutoff is None:
            return Swept(None, rose, waiting)
        with self._pool(SEGMENTS) as pool:
            parts = list(pool.map(lambda n: self._segment(published.cutoff or 0, n, stopping), range(SEGMENTS)))
        complete = not stopping()
        if complete:
            self._progress.complete(published.cutoff)
        pruned, returned = (sum(column) for column in zip(*parts, strict=True))
        return Swept(published.cutoff, rose, waiting, pruned, returned, complete)

    def _publish(self, stream_time: int | None, cutoff: int | None, why: str, now: int) -> Cutoff:
        units = self._untold.units()
        published = self._progress.publish(
            stream_time=stream_time, cutoff=cutoff, held_back=why, updated_at=now, units=units
        )
        self._untold.tell(units)
        return published

    def _segment(self, cutoff: int, segment: int, stopping: Callable[[], bool]) -> tuple[int, int]:
        pruned = returned = 0

        def on_page() -> None:
            if stopping():
                raise _StoppedError

        with suppress(_StoppedError):
            for player, row in self._players.idle(cutoff, segment, SEGMENTS, on_page):
                on_page()
                self._rate.take()
                if self._players.delete(player, row):
                    pruned += 1
                else:  # the player returned as we judged
                    returned += 1
        return pruned, returned
