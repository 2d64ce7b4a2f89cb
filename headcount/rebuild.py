"""`python -m headcount rebuild`: makes LevelState right from PlayerState, and the aggregator begin there (rule 9).

Nobody is trusted to stand still: PlayerState's stream shows whether the table changed while it was counted, and every
write is conditional on what was read. Each step may be cut short and done again; docs/adr/0009 says why it is so.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from headcount.audit import Moves
from headcount.corrections import Correction, corrections
from headcount.kcl.lease_table import delete_leases, read_leases
from headcount.lineage import ahead, gaps
from headcount.model import Progress
from headcount.table_stream import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.table_stream import TableStream
    from headcount.tables.counts import CountTables
    from headcount.tables.players import PlayerTable
    from headcount.tables.progress import ProgressTable
    from headcount.tables.rebuild_mark import RebuildMark

ATTEMPTS = 5
TIP_PATIENCE = 3  # quiet times, for one of them to come
ENDED_ROW_KEPT_SECONDS = 2 * 86_400  # as the aggregator keeps those of shards that it read to their end


class NotStillError(Exception):
    """PlayerState, LevelState or the progress changed under every attempt; the message is one line for a person."""


class _ChangedError(Exception):
    """Something was written meanwhile: begin again."""


@dataclass(frozen=True)
class Rebuilt:
    """What was, or would be, changed."""

    corrections: list[Correction]
    shards: int
    leases: int
    players: int
    finishes: bool = False  # a rebuild that was cut short

    @property
    def changed(self) -> bool:
        """Whether anything was wrong."""
        return bool(self.corrections or self.shards or self.leases)


@dataclass(frozen=True)
class Parts:
    """What a rebuild works with; ``identity``: ``table@created``, ``application``: of the level aggregator."""

    identity: str
    application: str
    client: DynamoDBClient
    stream: TableStream
    players: PlayerTable
    counts: CountTables
    progress: ProgressTable
    mark: RebuildMark
    quiet_seconds: float
    say: Callable[[str], None]
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class _Seen:
    """PlayerState's players per level, at exactly the positions that ``reading`` has come to."""

    recount: Mapping[str, int]
    rows: Mapping[str, Progress]
    reading: Reading
    targets: dict[str, Progress] = field(default_factory=dict)


class Rebuild:
    """One run of it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._prefix = f"level_aggregator/{parts.identity}/"
        self._wrote = False

    def run(self) -> Rebuilt:
        """Rebuild; raises `NotStillError`, botocore's errors and `MalformedRowError`. Then run it again: it goes on."""
        finishes = self._parts.mark.begin(self._now())
        if finishes:
            self._parts.say("A rebuild before this one was cut short: this one finishes it.")
        try:
            rebuilt = self._insist(lambda seen: self._write(seen, finishes=finishes))
        except NotStillError:
            if not self._wrote and not finishes:
                self._parts.mark.finish(self._now())  # nothing was begun: counting may go on as it did
            raise
        if not self._parts.mark.finish(self._now()):
            raise NotStillError("Another rebuild has begun meanwhile. Let it end; then run this one again.")
        return rebuilt

    def look(self) -> Rebuilt:
        """What `run` would change; writes nothing."""
        return self._insist(self._compare)

    def _insist(self, then: Callable[[_Seen], Rebuilt]) -> Rebuilt:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return then(self._see())
            except _ChangedError as change:
                self._parts.say(f"Attempt {attempt} of {ATTEMPTS}: {change}")
        raise NotStillError(
            f"PlayerState or LevelState was written during each of {ATTEMPTS} attempts, so no count of it is right. "
            "Stop consumer and pruner, and whatever else writes to these tables; then run rebuild again."
        )

    def _see(self) -> _Seen:
        parts = self._parts
        rows = parts.progress.read_all(self._prefix)
        ended = [shard for shard, row in rows.items() if row.ended]
        after = {shard: row.position for shard, row in rows.items()}
        reading = Reading(parts.stream, after, ended, parts.monotonic, parts.sleep)
        count = reading.until_quiet(parts.quiet_seconds, caught_up_seconds=TIP_PATIENCE * parts.quiet_seconds)
        parts.say(f"Read PlayerState's stream to its tip: {count} records in {len(reading.listing.shards)} shards.")
        recount = Counter(row.level for _, row in parts.players.all())
        parts.say(f"Counted PlayerState: {recount.total()} players in {len(recount)} levels.")
        if written := reading.until_quiet(parts.quiet_seconds, caught_up_seconds=parts.quiet_seconds):
            raise _ChangedError(f"PlayerState was written meanwhile ({written} records).")
        seen = _Seen(recount, rows, reading)
        for shard in {*rows, *reading.listing.by_id}:
            seen.targets[shard] = self._target(shard, seen)
        return seen

    def _target(self, shard: str, seen: _Seen) -> Progress:
        """What the shard's row must say: all up to where we read is counted."""
        row = seen.rows.get(shard, Progress())
        read = seen.reading.positions.get(shard)
        position = max(filter(None, (row.position, read)), default=None)
        is_over = shard in seen.reading.finished or shard not in seen.reading.listing.by_id
        if row.ended or not is_over:
            return replace(row, position=position)
        expires_at = round(self._parts.wall()) + ENDED_ROW_KEPT_SECONDS
        return replace(row, position=position, ended=True, expires_at=expires_at)

    def _compare(self, seen: _Seen) -> Rebuilt:
        parts = self._parts
        moves = Moves.of(parts.counts.transitions())
        found = corrections(seen.recount, parts.counts.levels(), moves)
        shards = sum(1 for shard, target in seen.targets.items() if seen.rows.get(shard) != target)
        leases = read_leases(parts.client, parts.application)
        checkpoints = {row.lease.key: row.position for row in leases if row.position is not None}
        # Leases that fit what was counted may stay: the next aggregator then need not read what it would skip.
        fit = not (found or shards or ahead(seen.reading.listing, seen.rows, checkpoints))
        return Rebuilt(found, shards, 0 if fit else len(leases), sum(seen.recount.values()))

    def _write(self, seen: _Seen, *, finishes: bool) -> Rebuilt:
        parts = self._parts
        if not parts.mark.hold(self._now()):
            raise NotStillError("Another rebuild has begun meanwhile. Let it end; then run this one again.")
        # First the progress: an aggregator that still runs is rejected from here on, unless what it counts is newer.
        shards = 0
        for shard, target in sorted(seen.targets.items()):
            row = seen.rows.get(shard)
            if row != target:
                shards, self._wrote = shards + 1, True
                now = replace(target, updated_at=self._now())
                if not parts.progress.move(self._prefix + shard, row or Progress(), now):
                    raise _ChangedError(f"the progress of shard {shard} has moved: an aggregator counts.")
        moves = Moves.of(parts.counts.transitions())
        found = corrections(seen.recount, parts.counts.levels(), moves)
        for one in found:
            self._wrote = True
            if not parts.counts.correct(one.level, one.was, one.now):
                raise _ChangedError(f"the count of level {one.level} has changed: an aggregator counts.")
        self._see_that_nobody_counted(seen)
        leases = read_leases(parts.client, parts.application)
        checkpoints = {row.lease.key: row.position for row in leases if row.position is not None}
        deleted = 0
        if finishes or found or shards or ahead(seen.reading.listing, seen.rows, checkpoints):
            deleted = delete_leases(parts.client, parts.application)
        return Rebuilt(found, shards, deleted, sum(seen.recount.values()), finishes)

    def _see_that_nobody_counted(self, seen: _Seen) -> None:
        """What was written to LevelState is right only if no aggregator counted something newer before it was read."""
        rows = self._parts.progress.read_all(self._prefix)
        for shard, target in seen.targets.items():
            row = rows.pop(shard, None)
            if row is None or (row.position, row.ended) != (target.position, target.ended):
                raise _ChangedError(f"the progress of shard {shard} has moved: an aggregator counts.")
        if rows or gaps(self._parts.stream.listing(), seen.targets):
            raise _ChangedError("the stream has other shards now.")

    def _now(self) -> int:
        return round(self._parts.wall() * 1000)
