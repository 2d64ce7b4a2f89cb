"""What must hold at every moment of a run, checked as it happens. Rules and invariants by their numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headcount.model import PlayerRow, Position, Transition
from headcount.tables import integer
from tests.fakes.lines import NOON
from tests.simulation.broken import hold
from tests.simulation.marks import assert_counted, assert_seen
from tests.simulation.records import IDENTITY, Arrived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headcount.model import Record
    from tests.fakes.dynamodb_items import Key
    from tests.fakes.expressions import Item
    from tests.simulation.schedule import Sent
    from tests.simulation.world import World

_TIMES = ("watermark", "settled", "arrivedAt", "caughtUpAt", "seenAt")


class Watching:
    """Raises `BrokenError` from within whatever broke an invariant."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.arrivals: defaultdict[str, list[Arrived]] = defaultdict(list)  # by shard, in its order
        self.covered: dict[str, int] = {}  # how many of them the shard's progress covers
        self.moves: list[tuple[PlayerRow | None, PlayerRow | None]] = []  # all changes of PlayerState
        self.deleted: dict[str, tuple[str, int]] = {}  # by player, the level left last, and when (ms)
        self.counting = ""  # the shard whose changes are being counted
        self.expired_transitions: Counter[Transition] = Counter()
        self._lead = 0  # ms that any event's time was ahead of its arrival
        self._letters: dict[Key, bytes] = {}
        self._written: dict[str, int] = {}  # by player, when, as counted by `moves`
        self._passes: list[int] = []  # when the passes of pruners under way began, by the same count
        self._cutoffs: list[int | None] = []  # as they were when the batches under way began

    def arrived(self, shard: str, record: Record, sent: Sent, at: int) -> None:
        """A record is put onto the stream."""
        cutoff, arrivals = self.cutoff, self.arrivals[shard]
        late = sent.kind == "level" and cutoff is not None and at < cutoff
        run = (arrivals[-1].run if arrivals else 0) + 1 if sent.kind == "poison" else 0
        one = Arrived(record.position, record.arrived_at, record.data, sent, at, late, run)
        if sent.kind != "poison":
            self._lead = max(self._lead, at - NOON - round(sent.arrives * 1000))
        arrivals.append(one)
        self._assert_not_cut_off(one, cutoff)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """A batch is delivered."""
        self._cutoffs.append(self.cutoff)
        try:
            yield
        finally:
            self._cutoffs.pop()

    @property
    def is_pruned(self) -> bool:
        """Whether a pass of a pruner is under way."""
        return bool(self._passes)

    @contextmanager
    def pass_of_a_pruner(self) -> Iterator[None]:
        """A pass of a pruner."""
        self._passes.append(len(self.moves))
        try:
            yield
        finally:
            self._passes.pop()

    def changed(self, player: str, before: Item | None, after: Item | None) -> None:
        """A row of PlayerState is another one. Rule 1: it never becomes a lesser one."""
        was, now = _row(before), _row(after)
        if was is not None and now is not None:
            hold((now.at, now.level) > (was.at, was.level), "rule 1: {} became {}", was, now)
        cutoff = self.cutoff
        if now is None:
            gone = was is not None and cutoff is not None and was.at < cutoff
            hold(gone, "rule 6: {} was deleted at cutoff {}", was, cutoff)
            self.deleted[player] = (was.level if was else "", round(self._world.clock.now * 1000))
        elif self._cutoffs:
            begun = self._cutoffs[-1]
            hold(begun is None or now.at >= begun, "rule 6: {} was late at {}, before its batch was read", now, begun)
        self.moves.append((was, now))
        self._written[player] = len(self.moves)

    def buried(self, key: Key, letter: Item) -> None:
        """A dead letter was written. Rule 4: none is beyond the limit."""
        self._letters[key] = self._letters.get(key, b"") or letter["raw"]["B"]
        shard, _, position = key[0].removeprefix(f"{IDENTITY}/").partition("/")
        [one] = [one for one in self.arrivals[shard] if str(one.position) == position]
        limit = self._world.poison_limit.run
        hold(not limit or one.run <= limit, "rule 4: a letter of {}, the limit being {} in a row", one, limit)

    def expired(self, table: str, key: Key, row: Item) -> None:
        """DynamoDB deleted a row whose time had come. A shard's, only when its stream has forgotten the shard."""
        if table == self._world.settings.progress_table:
            shard = key[0].rpartition("/")[2]
            streams = self._world.events, self._world.changes
            listed = any(shard in stream.listed for stream in streams)
            hold("ended" in row and not listed, "tables: {} has expired", key)
        elif table == self._world.settings.transitions_table:
            source, target = (row[name]["S"] if name in row else None for name in ("levelFrom", "levelTo"))
            move = Transition(int(row["period"]["N"]), source, target)
            self.expired_transitions[move] += int(row["transitionCount"]["N"])

    def progress_moved(self, worker: str, before: Item | None, after: Item | None) -> None:
        """A shard's row moved. I6, rule 3: what it covers is written."""
        hold(after is not None, "{} was deleted", worker)
        was, now = before or {}, after or {}
        positions = [Position.parse(row["sequenceNumber"]["S"]) for row in (was, now) if "sequenceNumber" in row]
        hold(positions == sorted(positions), "I6: {} went back from {}", worker, positions)
        for name in _TIMES:
            earlier, later = integer(was, name), integer(now, name)
            hold(earlier is None or (later is not None and earlier <= later), "I6: {} of {} went back", name, worker)
        shard = worker.rpartition("/")[2]
        if not worker.startswith("consumer/"):
            self.counting = shard
            assert_counted(self._world, shard, positions[-1] if positions else None, now)
        else:
            self._consumer_moved(shard, positions[-1] if positions else None, now)

    def _consumer_moved(self, shard: str, position: Position | None, row: Item) -> None:
        arrivals, done = self.arrivals[shard], self.covered.get(shard, 0)
        while done < len(arrivals) and position is not None and arrivals[done].position <= position:
            self._assert_settled(arrivals[done], shard)
            done += 1
        self.covered[shard] = done
        watermark = integer(row, "watermark")
        if watermark is not None:
            lateness = self._world.settings.allowed_lateness_ms
            for one in arrivals[done:]:
                early = one.at < watermark - lateness - self._lead
                hold(not (early and self.on_time(one)), "rule 6: {}'s watermark {} passed {}", shard, watermark, one)

        assert_seen(self._world, shard, arrivals[done:], row)

    def _assert_settled(self, one: Arrived, shard: str) -> None:
        world = self._world
        if one.sent.kind == "poison":
            kept = self._letters.get((f"{IDENTITY}/{shard}/{one.position}", "0000")) == one.data
            hold(kept, "rule 4: {} is covered, and no dead letter of its bytes", one)
        if one.sent.kind == "level":
            row = _row(world.client.tables["PlayerState"].items.get((one.sent.player,)))
            written = row is not None and (row.at, row.level) >= (one.at, one.sent.level)
            cutoff = self.cutoff
            hold(written or (cutoff is not None and one.at < cutoff), "rule 3: {} is covered, and not written", one)

    def checkpointed(self, worker: str, position: Position | None) -> None:
        """A checkpoint is made. Rule 3: it covers no more than the progress does, of a shard's end only all."""
        row = self._world.client.tables["StreamProgress"].items.get((worker,), {})
        if position is None:
            hold("ended" in row, "rule 3: {} ended for the KCL only", worker)
            return
        done = Position.parse(row["sequenceNumber"]["S"]) if "sequenceNumber" in row else None
        hold(done is not None and position <= done, "rule 3: checkpoint {} of {} is beyond {}", position, worker, done)

    def cutoff_moved(self, before: Item | None, after: Item | None) -> None:
        """Rule 6: the cutoff only rises, and passes no player who is about to be read."""
        was, now = integer(before or {}, "watermark"), integer(after or {}, "watermark")
        hold(was is None or (now is not None and now >= was), "rule 6: the cutoff went back from {} to {}", was, now)
        completed = integer(after or {}, "completed")
        if completed is not None and completed != integer(before or {}, "completed"):
            self._assert_complete(completed)
        if now == was:
            return
        for shard, arrivals in self.arrivals.items():
            for one in arrivals[self.covered.get(shard, 0) :]:
                self._assert_not_cut_off(one, now)

    def _assert_complete(self, cutoff: int) -> None:
        """I3: who was there when the pass began, and silent since before its cutoff, has left."""
        for (player,), item in self._world.client.tables["PlayerState"].items.items():
            gone = int(item["lastUpdated"]["N"]) >= cutoff or self._written[player] > self._passes[-1]
            hold(gone, "I3: a pass at {} is complete, and {} is still there", cutoff, item)

    @property
    def cutoff(self) -> int | None:
        """As it stands."""
        return integer(self._world.client.tables["StreamProgress"].items.get(("pruner/cutoff",), {}), "watermark")

    def _assert_not_cut_off(self, one: Arrived, cutoff: int | None) -> None:
        idle = self._world.settings.idle_timeout_ms
        if cutoff is not None and self.on_time(one):
            hold(one.at >= cutoff + idle - self._lead, "rule 6: cutoff {} is too near to unread {}", cutoff, one)

    def on_time(self, one: Arrived) -> bool:
        """Whether it came as pruning may rely on."""
        sent = one.sent
        if sent.kind == "poison" or sent.at > sent.arrives:
            return False
        return sent.kept_up or round((sent.arrives - sent.at) * 1000) <= self._world.settings.allowed_lateness_ms

    def after_action(self) -> None:
        """I2 and I4: no count is negative, and each is what entered less what left."""
        for item in self._world.client.tables["LevelState"].items.values():
            players, entered, left = (integer(item, name) or 0 for name in ("playerCount", "entered", "left"))
            hold(players >= 0, "I2: {}", item)
            hold(players == entered - left, "I4: {}", item)


def _row(item: Item | None) -> PlayerRow | None:
    return PlayerRow(item["levelId"]["S"], int(item["lastUpdated"]["N"])) if item else None
