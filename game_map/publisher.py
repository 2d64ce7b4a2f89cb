"""The thread that publishes snapshots while this replica holds the lease."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from game_map.publication import OvertakenError, Publication
from game_map.snapshots import Position, moves_of, snapshot
from headcount import model
from headcount.table_stream import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from game_map.board import Blur, Move
    from game_map.lease import Lease
    from game_map.publication import Bucket
    from headcount.lifecycle import Stop
    from headcount.metrics import MapMetrics
    from headcount.table_stream import StreamRecord, TableStream
    from headcount.tables.counts import CountTables

LOOK_SECONDS = 0.2  # between two looks whether a snapshot is due
PAUSE_SECONDS = 5.0  # after one that failed
# Of reading Transitions' stream up to its tip. What DynamoDB holds back for longer is in the next snapshot.
QUIET_SECONDS = 0.5
CAUGHT_UP_SECONDS = 2.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Sources:
    """What snapshots are made of; ``stream``: Transitions' own, ``identity``: which it is."""

    counts: CountTables
    stream: TableStream
    identity: str
    blur: Blur
    interval: float
    wall: Callable[[], float] = time.time


@dataclass
class Course:
    """What one holder of the lease goes on from: the newest publication, and what was read since."""

    newest: Publication | None
    reading: Reading
    earliest: float  # when the next one may be published, wall clock: each stays for as long as its readers expect
    moves: Counter[Move] = field(default_factory=Counter)

    def take(self, records: list[StreamRecord]) -> None:
        """Count what was read."""
        self.moves.update(moves_of(records))

    def position(self, stream: str) -> Position:
        """How far it was read, of the shards that the stream still has."""
        listed = self.reading.listing.by_id
        return Position(
            stream,
            {shard: str(at) if at else None for shard, at in self.reading.positions.items() if shard in listed},
            frozenset(shard for shard in self.reading.finished if shard in listed),
        )


class Publisher:
    """Publishes to ``bucket`` every ``interval`` seconds, as long as the lease is held."""

    def __init__(self, sources: Sources, bucket: Bucket, lease: Lease, metrics: MapMetrics) -> None:
        self._sources, self._bucket, self._lease, self._metrics = sources, bucket, lease, metrics
        self._course: Course | None = None  # None: nothing of what was known may be used

    def run(self, stop: Stop) -> None:
        """Publish until the stop is asked for."""
        while not stop.wait(LOOK_SECONDS):
            if not self._lease.is_held:
                self._course = None
                continue
            try:
                self._course = self._course or self._recalled()
                if self._is_due(self._course.earliest):
                    self._publish(self._course)
            except OvertakenError:
                self._course = None
                _log.info("another replica has published")
            except Exception as error:  # noqa: BLE001 (whatever it is: the next one is another try, and goes on exactly)
                self._course = None
                self._metrics.snapshots.labels(result="failed").inc()
                _log.error("snapshot failed", reason=" ".join(str(error).split()), kind=type(error).__name__)
                stop.wait(PAUSE_SECONDS)

    def _recalled(self) -> Course:
        """Go on from the newest publication; without one, from now on."""
        sources, (newest, was_late) = self._sources, self._bucket.newest()
        position = newest.position if newest else Position()
        if position.stream != sources.identity:
            position = Position(sources.identity)  # a new stream: all of it came since
        after = {shard: model.Position.parse(at) if at else None for shard, at in position.numbers.items()}
        now = sources.wall()
        unread = {shard: at for shard, at in after.items() if shard not in position.finished}
        if lost := [shard for shard, at in unread.items() if sources.stream.is_lost(shard, at, round(now * 1000))]:
            _log.warning("transitions are in no snapshot: none was published for a day", shards=lost)
        published_at = now if was_late else newest.snapshot.made_at / 1000 if newest else 0.0
        course = Course(newest, Reading(sources.stream, after, position.finished), published_at + sources.interval)
        if newest is None:
            # What was committed before the first snapshot is in none.
            course.reading.until_quiet(QUIET_SECONDS, caught_up_seconds=CAUGHT_UP_SECONDS)
        return course

    def _is_due(self, earliest: float) -> bool:
        wait = earliest - self._sources.wall()
        return not 0 < wait <= self._sources.interval  # more: somebody set a clock

    def _publish(self, course: Course) -> None:
        sources, made_at = self._sources, round(self._sources.wall() * 1000)
        course.reading.until_quiet(QUIET_SECONDS, course.take, CAUGHT_UP_SECONDS)
        players = {level: count.players for level, count in sources.counts.levels().items()}
        made = snapshot(str(uuid.uuid4()), made_at, sources.interval, players, course.moves, sources.blur)
        number = course.newest.number + 1 if course.newest else 1
        publication = Publication(number, made, course.position(sources.identity))
        self._bucket.publish(publication)
        course.newest, course.moves, course.earliest = publication, Counter(), made_at / 1000 + sources.interval
        self._metrics.snapshots.labels(result="ok").inc()
        _log.info("published", number=number, update_id=made.update_id)
