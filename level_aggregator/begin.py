"""Where a worker begins to count its shard, and when it must not: what was lost can't be counted any more (rule 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount.lineage import KEPT_FOR_CERTAIN_MS
from headcount.model import Progress
from headcount.tables.rebuild_mark import rebuild_worker

if TYPE_CHECKING:
    from headcount.model import Position
    from level_aggregator.handler import Parts

REBUILD = "LevelState must be rebuilt from PlayerState: python -m headcount rebuild; see docs/operations.md, Rebuild."
UNDER_WAY = "A rebuild of LevelState is under way or was cut short. Finish it: python -m headcount rebuild."


class GapError(Exception):
    """Stream records may have been lost to the counts; only a rebuild makes them right."""


def begin(parts: Parts, stream: str, shard: str, checkpoint: Position | None) -> Progress:
    """The shard's progress, written if it had none yet; ``stream``: ``table@created``, ``checkpoint``: the KCL's.

    Raises `GapError` if the KCL is further than the counts are, if the stream no longer has what comes next, or while
    a rebuild is unfinished.
    """
    table, worker = parts.progress, f"level_aggregator/{stream}/{shard}"
    mark = table.read(rebuild_worker(stream))
    found = table.read(worker)
    counted = found.position if found else None
    lost = None
    if mark is not None and not mark.ended:
        lost = UNDER_WAY
    elif checkpoint is not None and (counted is None or counted < checkpoint):
        lost = (
            f"The KCL's checkpoint of shard {shard} is {checkpoint.sequence}, but by {table.name} what was counted "
            f"ends at {counted.sequence if counted else 'nothing'}: the changes in between would be lost. {REBUILD}"
        )
    if lost is not None:
        parts.metrics.gaps.inc()
        raise GapError(lost)
    if found is None or (counted and not found.ended):
        see_that_the_next_is_there(parts, shard, counted)
    if found is None:
        # That the shard was begun must be known when its parent's row has expired, however quiet it is.
        table.move(worker, Progress(), Progress(updated_at=round(parts.wall() * 1000)))
        found = table.read(worker)
    return found or Progress()


def see_that_no_record_was_skipped(parts: Parts, shard: str, counted: Progress) -> None:
    """Raises `GapError` if the stream may have trimmed what follows ``counted`` while the worker ran.

    Where a worker is so late, the streams adapter goes on at what is left and tells nobody; a shard's end may be one.
    """
    if counted.ended:
        return  # all of it was counted, or a rebuild has counted what came of it
    newest = counted.arrived_at if counted.position else counted.updated_at  # when the shard was begun
    if newest is None or parts.wall() * 1000 - newest > KEPT_FOR_CERTAIN_MS:
        see_that_the_next_is_there(parts, shard, counted.position)


def see_that_the_next_is_there(parts: Parts, shard: str, counted: Position | None) -> None:
    """Raises `GapError` if the stream no longer has what comes after ``counted`` (None: nothing was)."""
    if parts.is_lost(shard, counted, round(parts.wall() * 1000)):
        parts.metrics.gaps.inc()
        ends = f"ends at {counted.sequence}" if counted else "is nothing"
        raise GapError(
            f"What was counted of shard {shard} {ends}, and the stream no longer has what comes next: "
            f"the changes in between are lost. {REBUILD}"
        )
