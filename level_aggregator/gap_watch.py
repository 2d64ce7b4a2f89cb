"""Beside the counting: sees to it that nothing is counted while changes are lost to the counts (rule 7)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from headcount.aws import explained
from headcount.kcl.gate import Gate
from headcount.kcl.lease_table import read_leases
from headcount.lineage import ahead, gaps, has_counted, told, unread
from headcount.model import Progress
from headcount.table_stream import Reading
from headcount.tables import MalformedRowError
from headcount.tables.rebuild_mark import rebuild_worker
from level_aggregator.begin import UNDER_WAY
from level_aggregator.first_start import Remembered, beginning, counted_before, difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.lineage import Listing
    from headcount.metrics import GapMetrics
    from headcount.table_stream import TableStream
    from headcount.tables.counts import CountTables
    from headcount.tables.players import PlayerTable
    from headcount.tables.progress import ProgressTable

TURN_SECONDS = 1.0
LOOK_SECONDS = 30.0  # between two looks while all is well
LOOK_SHUT_SECONDS = 10.0  # while it is not; longer where a look takes long, unless a rebuild begins or ends
RETRY_SECONDS = 2.0  # where AWS gave no answer
CONFIRM_SECONDS = 2.0  # the list of shards may be behind: only what is found twice counts

NOT_YET = "it is being looked up whether changes of PlayerState were lost to the counts"

_log = structlog.get_logger()


@dataclass(frozen=True)
class GapParts:
    """What the watch looks at; ``identity``: ``table@created``, ``application``: the lease table's name."""

    identity: str
    application: str
    stream: TableStream
    client: DynamoDBClient
    players: PlayerTable
    counts: CountTables
    progress: ProgressTable
    metrics: GapMetrics
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class GapWatch(Gate):
    """The gate of the aggregator's daemon: shut until a look found nothing, after a failure anew, while a gap stands.

    A look goes by the shards that are listed, the progress and the KCL's checkpoints. Before the daemon starts, and
    after it failed, it also asks the stream whether what comes next is still there, and judges a first start.
    """

    def __init__(self, parts: GapParts) -> None:
        self._parts = parts
        self._prefix = f"level_aggregator/{parts.identity}/"
        self._obstacle: str | None = None
        self._doubts, self._looked = 1, 0  # the supervisor's thread counts the ones, ours the looks that answered them
        self._due_at = self._mark_due_at = float("-inf")
        self._mark: Progress | None = None

    def obstacle(self) -> str | None:
        """Why nothing must be counted; None: it may be."""
        in_doubt = self._is_in_doubt  # first: a look that ends now writes the obstacle before it answers the doubt
        return self._obstacle or (NOT_YET if in_doubt else None)

    def doubt(self) -> None:
        """The daemon failed, maybe for a gap that shows only where a shard is begun: shut until a look found none."""
        self._doubts += 1

    @property
    def _is_in_doubt(self) -> bool:
        return self._looked < self._doubts

    def turn(self) -> float:
        """Look if it is time; returns the seconds until the next turn."""
        begun = self._parts.monotonic()
        doubts = self._doubts
        try:
            if begun < self._due_at and not self._is_in_doubt and not self._a_rebuild_moved(begun):
                return TURN_SECONDS
            found = self._found(thorough=self.obstacle() is not None)
        except (BotoCoreError, ClientError) as error:
            _log.warning("can't look for gaps", reason=str(explained(error, "AWS")))
            return RETRY_SECONDS
        except MalformedRowError as error:
            if self.obstacle() is None:
                raise
            if self._obstacle != str(error):
                _log.error("can't look for gaps", reason=str(error))
            self._obstacle = str(error)
            return LOOK_SHUT_SECONDS
        self._show(found)
        self._looked = doubts
        now = self._parts.monotonic()
        self._due_at = now + (max(LOOK_SHUT_SECONDS, 10 * (now - begun)) if found else LOOK_SECONDS)
        return TURN_SECONDS

    def _a_rebuild_moved(self, now: float) -> bool:
        """Asked now and then while it is shut."""
        if self._obstacle is None or now < self._mark_due_at:
            return False
        self._mark_due_at = now + LOOK_SHUT_SECONDS
        return self._read_mark() != self._mark

    def _read_mark(self) -> Progress | None:
        return self._parts.progress.read(rebuild_worker(self._parts.identity))

    def _show(self, found: str | None) -> None:
        self._parts.metrics.gap.set(0 if found is None else 1)
        if found is not None and found != self._obstacle:
            _log.error("GapError: nothing is counted", reason=found)
        elif found is None and self._obstacle is not None:
            _log.info("the gap is closed: counting goes on")
        self._obstacle = found

    def _found(self, *, thorough: bool) -> str | None:
        self._mark = mark = self._read_mark()
        if mark is not None and not mark.ended:
            return UNDER_WAY
        lost = self._lost(thorough=thorough)
        if lost:
            self._parts.sleep(CONFIRM_SECONDS)
            again = set(self._lost(thorough=thorough))
            lost = [sentence for sentence in lost if sentence in again]
        if not lost:
            return None
        return f"changes of PlayerState are lost to the counts: {told(lost)}. Run: python -m headcount rebuild"

    def _lost(self, *, thorough: bool) -> list[str]:
        # In this order: shards are listed before they are begun, and checkpoints follow the progress.
        listing = self._parts.stream.listing()
        leases = read_leases(self._parts.client, self._parts.application)
        checkpoints = {row.lease.key: row.position for row in leases if row.position is not None}
        rows = self._parts.progress.read_all(self._prefix)
        if not has_counted(rows):
            found = ahead(listing, rows, checkpoints)
            if found or not thorough:
                return found
            lost = self._lost_before(listing)
            rows = self._parts.progress.read_all(self._prefix)
            if not has_counted(rows):  # else another process has begun to count meanwhile
                return [lost] if lost else []
        found = gaps(listing, rows) + ahead(listing, rows, checkpoints)
        if thorough:
            for shard, position in unread(listing, rows, round(self._parts.wall() * 1000)):
                if self._parts.stream.is_trimmed(shard, position):
                    after = f"after {position.sequence}" if position else "at its beginning"
                    found.append(f"the stream no longer has what comes {after} in shard {shard.shard_id}")
        return found

    def _lost_before(self, listing: Listing) -> str | None:
        """Of a first start. Where nothing is lost all shards count as begun: their parents need not be known."""
        parts = self._parts
        reading = Reading(parts.stream, {}, monotonic=parts.monotonic, sleep=parts.sleep)
        begins = beginning(parts.players, reading)
        # Transitions before levels: what another process counts meanwhile does not show as theirs alone.
        remembered = Remembered.by(parts.counts.transitions())
        levels = parts.counts.levels()
        since = max(listing.created_at, self._mark.updated_at if self._mark else 0)
        is_empty = not any(reading.positions.values())
        lost = difference(begins, levels) or counted_before(remembered, levels, since, is_empty=is_empty)
        if lost is None:
            for shard in listing.shards:
                begun = Progress(updated_at=round(parts.wall() * 1000))
                parts.progress.move(f"{self._prefix}{shard.shard_id}", Progress(), begun)
        return lost
