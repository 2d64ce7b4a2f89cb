"""Which changes of PlayerState the counts can never see: decided by the shards of its stream and the progress (pure).

A shard of a DynamoDB stream lives for hours and is listed for a day after that; its children follow it. Numbers in
brackets are the rules of ``docs/semantics.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headcount.model import Position, Progress

# A DynamoDB stream keeps a record for a day; an hour for clocks that differ and for work that takes its time.
KEPT_FOR_CERTAIN_MS = 23 * 3_600_000


@dataclass(frozen=True, slots=True)
class StreamShard:
    """A shard as DescribeStream lists it; ``starting`` and ``ending``: its sequence numbers (None: not known, open)."""

    shard_id: str
    parent: str | None = None
    starting: str | None = None
    ending: str | None = None

    def goes_beyond(self, position: Position) -> bool:
        """Whether it has, or may still get, records after ``position``."""
        return self.ending is None or Position.parse(self.ending) > position


@dataclass(frozen=True, slots=True)
class Listing:
    """The shards of a stream at one look, and when the stream was made (ms since the epoch)."""

    shards: tuple[StreamShard, ...]
    created_at: int = 0
    by_id: Mapping[str, StreamShard] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look them up by id, too."""
        object.__setattr__(self, "by_id", {shard.shard_id: shard for shard in self.shards})


def has_counted(rows: Mapping[str, Progress]) -> bool:
    """Whether anything of the stream was ever counted. Rows that only say "begun" say nothing of that."""
    return any(row.position is not None or row.ended for row in rows.values())


def gaps(listing: Listing, rows: Mapping[str, Progress]) -> list[str]:
    """[7] What was lost, a sentence each, by what is listed and by the ``rows`` of a stream of which some was counted.

    Records that were trimmed from shards which are still listed do not show here: see `unread`.
    """
    listed = listing.by_id
    found = [
        f"shard {shard_id} is no longer on the stream and was not read to its end"
        for shard_id, row in rows.items()
        if shard_id not in listed and not row.ended
    ]
    begun_ids = begun(listing, rows)
    for shard in listing.shards:
        parent = rows.get(shard.parent) if shard.parent is not None else None
        is_orphan = shard.parent is not None and shard.parent not in listed
        if is_orphan and shard.shard_id not in begun_ids and not (parent and parent.ended):
            found.append(f"what came before shard {shard.shard_id} is no longer on the stream and was never read")
    return sorted(found)


def ahead(listing: Listing, rows: Mapping[str, Progress], checkpoints: Mapping[str, Position]) -> list[str]:
    """[7] What the KCL would skip uncounted, a sentence each; ``checkpoints``: of the shards that have not ended."""
    found = []
    for shard_id, checkpoint in checkpoints.items():
        counted = rows[shard_id].position if shard_id in rows else None
        if shard_id in listing.by_id and (counted is None or counted < checkpoint):
            found.append(
                f"the KCL's checkpoint of shard {shard_id} is {checkpoint.sequence}, what was counted ends at "
                f"{counted.sequence if counted else 'nothing'}"
            )
    return sorted(found)


def unread(listing: Listing, rows: Mapping[str, Progress], now: int) -> list[tuple[StreamShard, Position | None]]:
    """[7] The listed shards of which something is still to be read, and from where (None: from their beginning).

    Whoever begins to count must see that nothing was trimmed there. The beginnings are left out where the stream is
    too young (``now``, ms) to have trimmed any.
    """
    is_old = now - listing.created_at > KEPT_FOR_CERTAIN_MS
    begun_ids = begun(listing, rows)
    found = []
    for shard in listing.shards:
        row = rows.get(shard.shard_id)
        if row is None and shard.shard_id in begun_ids:
            continue  # read to its end, long ago: its row has expired
        position = row.position if row else None
        if not (row and row.ended) and (position is not None or is_old):
            found.append((shard, position))
    return found


def begun(listing: Listing, rows: Mapping[str, Progress]) -> set[str]:
    """Ids of the shards that have a row, or a descendant with one.

    The KCL begins no child before its parent was read to its end, and rows of ended shards expire.
    """
    found: set[str] = set()
    for shard_id in rows:
        at: str | None = shard_id
        while at is not None and at not in found:
            found.add(at)
            shard = listing.by_id.get(at)
            at = shard.parent if shard else None
    return found


def told(found: Iterable[str], most: int = 3) -> str:
    """The sentences as one line, not all of them where there are many."""
    lines = list(found)
    more = f"; and {len(lines) - most} more" if len(lines) > most else ""
    return "; ".join(lines[:most]) + more
