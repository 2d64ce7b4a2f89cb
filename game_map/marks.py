"""As of when the counts are: by what consumers and level aggregator say of themselves (pure).

An event shows in the counts in two steps: a consumer writes it to PlayerState, the level aggregator counts that change.
Each says up to when it has seen everything, and a consumer that catches up writes *now* what arrived long ago. So its
mark holds only once the aggregator has counted the changes that it had made by then: marks wait for that.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headcount import lineage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from headcount.lineage import Listing
    from headcount.model import Progress

MOST_WAITING = 3600  # at one a second: older ones than an hour are of no use to anybody


@dataclass(frozen=True, slots=True)
class Mark:
    """What had arrived by ``seen`` is in PlayerState, by changes made at ``written`` or before. Wall clock, ms."""

    seen: int
    written: int


def written_by(rows: Iterable[Progress | None]) -> Mark | None:
    """The consumers' mark, by the rows of all shards that count (None: it has no row); None if one can't tell."""
    marks: list[Mark] = []
    for row in rows:
        seen = _seen(row)
        if row is None or seen is None:
            return None
        marks.append(Mark(seen, row.updated_at))
    if not marks:
        return None
    return Mark(min(mark.seen for mark in marks), max(mark.written for mark in marks))


def counted_by(rows: Iterable[Progress | None]) -> int | None:
    """Up to when the changes of PlayerState are counted, by the rows of all shards of its stream; as `written_by`."""
    marks = [_seen(row) for row in rows]
    known = [mark for mark in marks if mark is not None]
    return min(known) if known and len(known) == len(marks) else None


class AsOf:
    """Brings the two together, look by look."""

    def __init__(self) -> None:
        self._waiting: deque[Mark] = deque(maxlen=MOST_WAITING)
        self._known: int | None = None

    def look(self, written: Mark | None, counted: int | None) -> int | None:
        """As of when counts are that are read after ``written`` and ``counted`` were; None: not known yet.

        A shard that splits, or is lost to all workers, takes the mark with it; what was known stays so.
        """
        if written is not None and (not self._waiting or written != self._waiting[-1]):
            self._waiting.append(written)
        while self._waiting and counted is not None and self._waiting[0].written < counted:
            seen = self._waiting.popleft().seen
            self._known = seen if self._known is None else max(self._known, seen)
        return self._known


def _seen(row: Progress | None) -> int | None:
    marks = [mark for mark in (row.seen_at, row.arrived_at) if mark is not None] if row else []
    return max(marks, default=None)


def stream_shards_to_wait_for(listing: Listing, rows: Mapping[str, Progress]) -> list[str]:
    """Ids of the shards of PlayerState's stream whose marks count: all but those that are read to their end.

    Nor does a shard count whose parent is still being read: all that it holds was made after what the parent holds.
    """
    begun = lineage.begun(listing, rows)
    unfinished = {
        shard.shard_id
        for shard in listing.shards
        if not (rows[shard.shard_id].ended if shard.shard_id in rows else shard.shard_id in begun)
    }
    return [
        shard.shard_id for shard in listing.shards if shard.shard_id in unfinished and shard.parent not in unfinished
    ]
