"""What must hold at every moment of a run, checked as it happens. Rules and invariants by their numbers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headcount.model import PlayerRow, Position
from headcount.rules import CLOCK_SKEW_MS
from headcount.tables import integer

if TYPE_CHECKING:
    from headcount.model import Record
    from tests.fakes.expressions import Item
    from tests.simulation.schedule import Sent
    from tests.simulation.world import World

IDENTITY = "events@1"
_TIMES = ("watermark", "settled", "arrivedAt", "caughtUpAt")


@dataclass(frozen=True)
class Arrived:
    """A record that is on the stream; ``at``: its time, clamped (rule 5), in ms; ``late``: already as it came."""

    position: Position
    data: bytes
    sent: Sent
    at: int
    late: bool


class BrokenError(BaseException):
    """An invariant is broken. No service may catch this: it would pass for a crash."""


def hold(condition: object, told: object) -> None:
    """Raise `BrokenError` unless ``condition`` is true."""
    if not condition:
        raise BrokenError(told)


class Watching:
    """Raises `BrokenError` from within whatever broke an invariant."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.arrivals: defaultdict[str, list[Arrived]] = defaultdict(list)  # by shard, in its order
        self.covered: dict[str, int] = {}  # how many of them the shard's progress covers
        self.moves: list[tuple[PlayerRow | None, PlayerRow | None]] = []  # all changes of PlayerState

    def arrived(self, shard: str, record: Record, sent: Sent, at: int) -> None:
        """A record is put onto the stream."""
        row = self._world.client.tables["StreamProgress"].items.get(("pruner/cutoff",), {})
        cutoff = integer(row, "watermark")
        late = sent.kind == "level" and cutoff is not None and at < cutoff
        one = Arrived(record.position, record.data, sent, at, late)
        self.arrivals[shard].append(one)
        self._assert_not_cut_off(one, cutoff)

    def changed(self, before: Item | None, after: Item | None) -> None:
        """A row of PlayerState is another one. Rule 1: it never becomes a lesser one."""
        was, now = _row(before), _row(after)
        if was is not None and now is not None:
            hold((now.at, now.level) > (was.at, was.level), f"rule 1: {was} became {now}")
        cutoff = integer(self._world.client.tables["StreamProgress"].items.get(("pruner/cutoff",), {}), "watermark")
        if now is None:
            hold(
                was is not None and cutoff is not None and was.at < cutoff,
                f"rule 6: {was} was deleted at cutoff {cutoff}",
            )
        self.moves.append((was, now))

    def progress_moved(self, worker: str, before: Item | None, after: Item | None) -> None:
        """A shard's row moved. I6, rule 3: what it covers is written."""
        hold(after is not None, f"{worker} was deleted")
        was, now = before or {}, after or {}
        positions = [Position.parse(row["sequenceNumber"]["S"]) for row in (was, now) if "sequenceNumber" in row]
        hold(positions == sorted(positions), f"I6: {worker} went back from {positions}")
        for name in _TIMES:
            earlier, later = integer(was, name), integer(now, name)
            hold(earlier is None or (later is not None and earlier <= later), f"I6: {name} of {worker} went back")
        if worker.startswith("consumer/"):
            self._consumer_moved(worker.rpartition("/")[2], positions[-1] if positions else None, now)

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
                early = one.at < watermark - lateness - CLOCK_SKEW_MS
                hold(not (early and self._on_time(one)), f"rule 6: {shard}'s watermark {watermark} passed {one}")

    def _assert_settled(self, one: Arrived, shard: str) -> None:
        world = self._world
        if one.sent.kind == "poison":
            key = (f"{IDENTITY}/{shard}/{one.position}", "0000")
            letter = world.client.tables["DeadLetters"].items.get(key)
            kept = letter is not None and letter["raw"]["B"] == one.data
            hold(kept, f"rule 4: {one} is covered, and no dead letter of its bytes")
        if one.sent.kind == "level":
            row = _row(world.client.tables["PlayerState"].items.get((one.sent.player,)))
            written = row is not None and (row.at, row.level) >= (one.at, one.sent.level)
            cutoff = integer(world.client.tables["StreamProgress"].items.get(("pruner/cutoff",), {}), "watermark")
            hold(written or (cutoff is not None and one.at < cutoff), f"rule 3: {one} is covered, and not written")

    def checkpointed(self, worker: str, position: Position | None) -> None:
        """A checkpoint is made. Rule 3: it covers no more than the progress does, of a shard's end only all."""
        row = self._world.client.tables["StreamProgress"].items.get((worker,), {})
        if position is None:
            hold("ended" in row, f"rule 3: {worker} ended for the KCL only")
            return
        done = Position.parse(row["sequenceNumber"]["S"]) if "sequenceNumber" in row else None
        hold(done is not None and position <= done, f"rule 3: checkpoint {position} of {worker} is beyond {done}")

    def cutoff_moved(self, before: Item | None, after: Item | None) -> None:
        """Rule 6: the cutoff only rises, and passes no player who is about to be read."""
        was, now = integer(before or {}, "watermark"), integer(after or {}, "watermark")
        hold(was is None or (now is not None and now >= was), f"rule 6: the cutoff went back from {was} to {now}")
        if now == was:
            return
        for shard, arrivals in self.arrivals.items():
            for one in arrivals[self.covered.get(shard, 0) :]:
                self._assert_not_cut_off(one, now)

    def _assert_not_cut_off(self, one: Arrived, cutoff: int | None) -> None:
        idle = self._world.settings.idle_timeout_ms
        if cutoff is not None and self._on_time(one):
            hold(one.at >= cutoff + idle - CLOCK_SKEW_MS, f"rule 6: cutoff {cutoff} is too near to unread {one}")

    def _on_time(self, one: Arrived) -> bool:
        sent = one.sent
        if sent.kind == "poison" or sent.at > sent.arrives:
            return False
        return sent.kept_up or sent.arrives - sent.at <= self._world.settings.allowed_lateness_seconds

    def after_action(self) -> None:
        """I2 and I4: no count is negative, and each is what entered less what left."""
        for item in self._world.client.tables["LevelState"].items.values():
            players, entered, left = (integer(item, name) or 0 for name in ("playerCount", "entered", "left"))
            hold(players >= 0, f"I2: {item}")
            hold(players == entered - left, f"I4: {item}")


def _row(item: Item | None) -> PlayerRow | None:
    return PlayerRow(item["levelId"]["S"], int(item["lastUpdated"]["N"])) if item else None
