"""Changes that are lost to the counts, the watch that must see it, and the rebuild that mends it (rules 7 and 9)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from headcount.model import Position
from headcount.rebuild import NotStillError
from headcount.table_stream import TableStream
from headcount.tables import text
from headcount.tables.rebuild_mark import rebuild_worker
from level_aggregator.gap_watch import CONFIRM_SECONDS, LOOK_SECONDS, LOOK_SHUT_SECONDS, NOT_YET, GapWatch
from tests.simulation.broken import hold
from tests.simulation.leases import CrashError
from tests.simulation.mending import gap_parts, name_of, rebuild_of
from tests.simulation.records import TABLE_IDENTITY
from tests.simulation.schedule import AGGREGATOR, CONSUMER, HOUR
from tests.simulation.table_stream import StreamClient

if TYPE_CHECKING:
    from headcount.model import Record
    from tests.simulation.streams import StreamShard
    from tests.simulation.world import World

KEPT_SECONDS = 24 * HOUR  # by a DynamoDB stream
ROLL_SECONDS = 4 * HOUR  # about as often, DynamoDB closes a shard
RUNS_ON = 2
MOST_LOOKS = 10  # in so many the watch must see that all is well again
_ROWS = f"level_aggregator/{TABLE_IDENTITY}/"


class Losses:
    """``lost``: by what the world knows, changes of these shards are; ``maybe``: some are, as the services see it."""

    def __init__(self, world: World) -> None:
        self._world = world
        client: Any = StreamClient(world.changes, world.clock.now)
        self.stream = TableStream(client, "arn")
        self.lost: set[str] = set()
        self.maybe = self.rebuilding = self.began_anew = False
        self._known_at = 0.0  # by then, the watch sees it
        self.rebuilds = self.times = 0  # so many rebuilds were begun; so often something was lost
        self._looking = False
        self._watch: GapWatch | None = None
        self._turn_at = 0.0

    # --- The watch ------------------------------------------------------------------------------------------------

    def may_run(self) -> bool:
        """Whether the aggregator's daemon may; looks if it is time to."""
        world = self._world
        if self._watch is None:
            self._watch, self._turn_at = GapWatch(gap_parts(world, self.stream)), world.clock.now
        watch = self._watch
        if not self._looking and world.clock.now >= self._turn_at:
            self._looking = True
            try:
                pause = watch.turn()
            except CrashError:  # the supervisor; its daemon does not outlive it
                self.begin_anew()
                return False
            finally:
                self._looking = False
            self._turn_at = world.clock.now + pause
        if self.lost and world.clock.now >= self._known_at and watch.obstacle() is None and not self._has_counted():
            self._assert_a_first_start()
        return watch.obstacle() is None

    def _assert_a_first_start(self) -> None:
        """All rows of progress are lost, and the watch lets it begin anew: nothing is lost if LevelState fits that."""
        counted, players = self._at_the_beginning()
        hold(counted == players, "rule 7: {} was taken for a first start at {}", counted, players)
        self.lost.clear()
        self.began_anew = True

    def _at_the_beginning(self) -> tuple[Counter[str], Counter[str]]:
        """Players per level by LevelState, and by PlayerState as it was where its stream now begins."""
        players: Counter[str] = Counter()
        for was, now in self._world.watching.moves:
            players.subtract([was.level] if was else [])
            players.update([now.level] if now else [])
        for shard in self._world.changes.listed.values():  # what will be counted
            for record in shard.records[shard.trimmed :]:
                was_in, is_in = _levels(record)
                players.update([was_in] if was_in else [])
                players.subtract([is_in] if is_in else [])
        rows = self._world.client.tables["LevelState"].items.values()
        return Counter({row["levelId"]["S"]: int(row["playerCount"]["N"]) for row in rows}), players

    def _has_counted(self) -> bool:
        rows = self._world.client.tables["StreamProgress"].items.items()
        return any(name.startswith(_ROWS) and {"sequenceNumber", "ended"} & row.keys() for (name,), row in rows)

    def doubt(self) -> None:
        """A worker of the aggregator ended by itself, and the daemon with it."""
        self._known_at = min(self._known_at, self._world.clock.now)
        if self._watch is not None:
            self._watch.doubt()
            self._turn_at = self._world.clock.now  # the supervisor waits longer before it starts the next one
        self._world.kcl[AGGREGATOR].kill_all()

    def begin_anew(self) -> None:
        """The supervisor is another one."""
        self._known_at = min(self._known_at, self._world.clock.now)
        self._watch = None
        self._world.kcl[AGGREGATOR].kill_all()

    def assert_may_be_counted(self, what: object) -> None:
        """Rule 7: LevelState or Transitions were written, by the shard whose progress has just moved."""
        if self.rebuilding:
            return
        mark = self._world.client.tables["StreamProgress"].items.get((rebuild_worker(TABLE_IDENTITY),), {"ended": {}})
        hold("ended" in mark, "rule 7: {} was counted while a rebuild was unfinished", what)
        shard = self._world.watching.counting
        is_told = self._world.clock.now >= self._known_at and not self._world.kcl[AGGREGATOR].is_a_zombie_busy
        is_unknown = shard not in self.lost and not is_told  # a zombie's machine may stand still, its watch as well
        hold(not self.lost or is_unknown, "rule 7: {} was counted by {} though changes were lost", what, shard)

    # --- Losses ---------------------------------------------------------------------------------------------------

    def lose_progress(self, number: int) -> None:
        """Somebody deletes the progress of a shard that the KCL has a checkpoint of, while the aggregator is down."""
        world = self._world
        kcl, rows = world.kcl[AGGREGATOR], world.client.tables["StreamProgress"].items
        leases = [lease for lease in kcl.leases.values() if lease.checkpoint is not None and not lease.ended]
        if not leases or not self._can_lose():
            return
        self._stop_aggregator(number)
        lease = leases[number % len(leases)]
        if rows.pop((_ROWS + lease.shard.shard_id,), None) is not None:
            self.maybe = True
            counted, players = self._at_the_beginning()
            is_forgotten = lease.shard.gone or lease.shard.trimmed == len(lease.shard.records)
            if self._has_counted() or counted != players or not is_forgotten:  # else counting may begin anew
                self._lose(lease.shard)

    def day_off(self, number: int) -> None:
        """The aggregator is down, or runs and counts nothing, for over a day; the stream forgets what is older."""
        if self._can_lose():
            if number % 3 == RUNS_ON:
                self._known_at = float("inf")  # until a worker meets it
            else:
                self._stop_aggregator(number % 3)
            for _ in range(6):
                self._world.wait(ROLL_SECONDS + 600)
                self.roll_all()
            self.maybe = True
            self.forget()

    def roll_all(self) -> None:
        """DynamoDB closes each shard, and opens its successor."""
        for number in range(len(self._world.changes.open)):
            self._world.changes.roll(number)

    def forget(self) -> None:
        """The stream drops what is older than a day; a change of level that was not counted by then is lost."""
        for shard, record in self._world.changes.trim(KEPT_SECONDS):
            if _is_move(record) and not self._is_counted(shard, record):
                hold(self.maybe, "rule 7: {} was trimmed before it was counted, by a service that ran", record)
                self._lose(shard)

    def _lose(self, shard: StreamShard) -> None:
        self.lost.add(shard.shard_id)
        self.times += 1

    def _is_counted(self, shard: StreamShard, record: Record) -> bool:
        row = self._world.client.tables["StreamProgress"].items.get((_ROWS + shard.shard_id,), {})
        return "sequenceNumber" in row and record.position <= Position.parse(row["sequenceNumber"]["S"])

    def _can_lose(self) -> bool:
        """A day does not pass amid a call."""
        return self._world.schedule.config.losses and not self._is_busy

    @property
    def _is_busy(self) -> bool:
        is_called = any(kcl.is_busy for kcl in self._world.kcl)
        return is_called or self._looking or self.rebuilding or self._world.watching.is_pruned

    def _stop_aggregator(self, number: int) -> None:
        """The machine stops, or the daemon only; or another machine goes on, whose watch may have looked before."""
        match number % 3:
            case 0:
                self.begin_anew()
            case 1:
                self._world.kcl[AGGREGATOR].kill_all()
                self.doubt()
            case _:
                self._world.kcl[AGGREGATOR].kill_all()
                self._known_at = self._world.clock.now + LOOK_SECONDS + 10 * CONFIRM_SECONDS

    # --- The rebuild ----------------------------------------------------------------------------------------------

    def rebuild(self, number: int = 0) -> None:
        """A person who is told that changes are lost stops the services and rebuilds; or forgets the consumer."""
        world = self._world
        obstacle = self._watch.obstacle() if self._watch is not None else None
        if obstacle in {None, NOT_YET} or self._is_busy:
            return
        for kcl in world.kcl:
            kcl.kill_all()
        self.rebuilding, self.rebuilds = True, self.rebuilds + 1

        def meanwhile() -> None:
            world.kcl[CONSUMER].deliver_all(3)

        try:
            rebuild_of(world, self.stream, self.rebuilds, meanwhile if number % 2 else lambda: None).run()
        except NotStillError:
            return
        except (CrashError, ClientError, BotoCoreError):
            if not self._is_rebuilt():
                return  # else only the answer to its last write was lost
        finally:
            self.rebuilding = False
        self.lost.clear()
        self.maybe = False

    def _is_rebuilt(self) -> bool:
        """Whether the latest rebuild went through, whatever it was told."""
        mark = self._world.client.tables["StreamProgress"].items.get((rebuild_worker(TABLE_IDENTITY),), {})
        shards = self._world.changes.listed.values()
        covers_all = all(self._is_counted(shard, one) for shard in shards for one in shard.records[shard.trimmed :])
        return "ended" in mark and mark["rebuildId"] == text(name_of(self.rebuilds)) and covers_all

    def mend(self) -> None:
        """In the end: the watch sees that all is well, or a rebuild makes it so."""
        self._world.wait(LOOK_SECONDS)
        for _ in range(MOST_LOOKS):
            if self.may_run():
                return
            obstacle = self._watch.obstacle() if self._watch is not None else NOT_YET
            mark = self._world.progress.read(rebuild_worker(TABLE_IDENTITY))
            is_unfinished = mark is not None and not mark.ended
            hold(self.maybe or is_unfinished or obstacle == NOT_YET, "rule 7: for nothing, {}", obstacle)
            self.rebuild()
            self._world.wait(LOOK_SHUT_SECONDS + 1)
        raise AssertionError("rule 9: a rebuild does not make the counts right")


def _is_move(record: Record) -> bool:
    was, now = _levels(record)
    return was != now


def _levels(record: Record) -> tuple[str | None, str | None]:
    """Where the player was and is."""
    images = orjson.loads(record.data)["dynamodb"]
    was, now = (images[name]["levelId"]["S"] if images[name] else None for name in ("OldImage", "NewImage"))
    return was, now
