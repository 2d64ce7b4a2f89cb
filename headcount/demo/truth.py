"""What the tables must hold, worked out from the acknowledged records; nothing of the services' code is used here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock

from headcount.demo.tsv import Event, Kind

Move = tuple[int, str | None, str | None]
"""Minute (epoch s), from, to; None: entered or left the game."""

_MINUTE_MS = 60_000


@dataclass(slots=True)
class _Stay:
    level: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ExpectedTransitions:
    """Bounds for each count in Transitions.

    Attributes:
        least: Moves that took place whatever the pruner's pace.
        most: These, and both ways each doubtful silence may have gone (left and came back, or never left).
        blurred: Players of whom an event overtook another so that the order in Kinesis is not the order of event time:
            what PlayerState went through then depends on where batches were cut, and no bound holds.
    """

    least: Counter[Move]
    most: Counter[Move]
    blurred: int

    @property
    def exact(self) -> bool:
        """Whether there is only one right answer."""
        return not self.blurred and self.least == self.most

    def compare(self, rows: Mapping[Move, int]) -> list[str]:
        """Where the table's counts leave the bounds, in words.

        Raises:
            ValueError: There are no bounds, as players are blurred.
        """
        if self.blurred:
            raise ValueError(f"events of {self.blurred} players overtook each other: transitions can't be told")
        return [
            f"transition {source or '(entered)'} -> {target or '(left)'} in minute {period}: "
            f"{rows.get((period, source, target), 0)} instead of {_span(self.least[move], self.most[move])}"
            for move in sorted(self.most.keys() | rows.keys(), key=lambda m: (m[0], m[1] or "", m[2] or ""))
            for period, source, target in [move]
            if not self.least[move] <= rows.get(move, 0) <= self.most[move]
        ]


class Truth:
    """Takes in every record that Kinesis acknowledged, in the order it did; thread-safe.

    Args:
        idle_timeout_seconds: A player leaves this long after the last level event.
        allowed_lateness_seconds: The pruner waits this much longer.
        max_silence_seconds: After so long without any event the pruner goes by the clock.
    """

    def __init__(
        self,
        idle_timeout_seconds: float = 60,
        allowed_lateness_seconds: float = 10,
        max_silence_seconds: float = 600,
    ) -> None:
        self._idle_ms = int(idle_timeout_seconds * 1000)
        self._silence_ms = int(max_silence_seconds * 1000)
        self._patience_ms = self._idle_ms + int(allowed_lateness_seconds * 1000)
        self._sent: Counter[Kind] = Counter()
        self._latest: dict[str, tuple[int, str]] = {}
        self._stays: dict[str, list[_Stay]] = {}
        self._blurred: set[str] = set()
        self._newest: int | None = None
        self._maybe_late = 0
        self._lock = Lock()

    def record(self, event: Event) -> None:
        """Take in one acknowledged record; a duplicate counts as a record and changes nothing else."""
        with self._lock:
            self._sent[event.kind] += 1
            self._newest = max(event.at, self._newest or 0)
            if event.kind is not Kind.LEVEL or event.player is None or event.level is None:
                return
            self._maybe_late += event.at < (self._newest or 0) - self._patience_ms
            seen = (event.at, event.level)
            self._latest[event.player] = max(self._latest.get(event.player, seen), seen)
            if not self._in_order(self._stays.setdefault(event.player, []), event.level, event.at):
                self._blurred.add(event.player)

    @property
    def sent(self) -> dict[Kind, int]:
        """Acknowledged records by kind."""
        with self._lock:
            return {kind: self._sent[kind] for kind in Kind}

    @property
    def total(self) -> int:
        """Acknowledged records: the consumers' tallies add up to it, unless a lost answer made a record stand twice."""
        with self._lock:
            return self._sent.total()

    @property
    def newest(self) -> int | None:
        """The time of the newest event (ms)."""
        with self._lock:
            return self._newest

    def false_leaves(self, cutoff_ms: int | None, late: int, now_ms: int) -> list[str]:
        """What shows that players left who should not have, in words; else an early cutoff would pass for the truth.

        Args:
            cutoff_ms: The cutoff of the last completed pruning pass.
            late: Records that ended as late.
            now_ms: The time, by the clock.
        """
        with self._lock:
            newest, most = self._newest or 0, self._maybe_late
        found = []
        is_silent = now_ms - newest > self._silence_ms
        if cutoff_ms is not None and not is_silent and cutoff_ms > newest - self._patience_ms:
            found.append(f"the cutoff is {cutoff_ms}, though the newest event is of {newest}: players left too early")
        if late > most:
            found.append(f"{late} records ended as late, where {most} came late: their players were taken for gone")
        return found

    def expected_players(self, cutoff_ms: int | None = None) -> dict[str, tuple[str, int]]:
        """PlayerState after a drain: per player the level and time of the event greatest by (at, level).

        Args:
            cutoff_ms: The cutoff of the last completed pruning pass; None: nobody was pruned.
        """
        with self._lock:
            latest = dict(self._latest)
        return {p: (level, at) for p, (at, level) in latest.items() if cutoff_ms is None or at >= cutoff_ms}

    def expected_levels(self, cutoff_ms: int | None = None) -> dict[str, int]:
        """How many players each level holds; levels without players are not named."""
        return dict(Counter(level for level, _ in self.expected_players(cutoff_ms).values()))

    def expected_transitions(self, cutoff_ms: int | None, pass_seconds: float) -> ExpectedTransitions:
        """What Transitions must hold after a drain, for partition keys that keep a player on one shard.

        A silence of no more than idle timeout + allowed lateness can't make anybody leave: while a player's next event
        is still to be read, the shard's watermark stays below it. A silence longer by `pass_seconds` surely does.
        In between it depends on whether a pruning pass fell into it.

        Args:
            cutoff_ms: The cutoff of the last completed pruning pass.
            pass_seconds: The longest time (of event time) from a player's being due to the pass that deletes the row:
                the prune interval, the consumers' lag and the time a pass takes. No service may have been down.
        """
        sure_ms = self._patience_ms + int(pass_seconds * 1000)
        with self._lock:
            histories = [[_Stay(s.level, s.first, s.last) for s in stays] for stays in self._stays.values()]
            blurred = len(self._blurred)
        least: Counter[Move] = Counter()
        most: Counter[Move] = Counter()
        for stays in histories:
            for moves, certain in self._moves(stays, cutoff_ms, sure_ms):
                most.update(moves)
                least.update(moves if certain else ())
        return ExpectedTransitions(least, most, blurred)

    def compare(
        self, player_rows: Mapping[str, tuple[str, int]], level_rows: Mapping[str, int], cutoff_ms: int | None
    ) -> list[str]:
        """The differences between the tables (PlayerState as level and time, LevelState as count) and the truth."""
        players, levels = self.expected_players(cutoff_ms), self.expected_levels(cutoff_ms)
        found = []
        for level in sorted(levels.keys() | level_rows.keys()):
            off = level_rows.get(level, 0) - levels.get(level, 0)
            if off:
                found.append(f"level {level}: {level_rows.get(level, 0)} players, {off:+d} from {levels.get(level, 0)}")
        for player in sorted(players.keys() | player_rows.keys()):
            right, row = players.get(player), player_rows.get(player)
            if right != row:
                found.append(f"player {player[:6]}…: {_place(row)} instead of {_place(right)}")
        return found

    def _in_order(self, stays: list[_Stay], level: str, at: int) -> bool:
        newest = stays[-1] if stays else None
        if newest and newest.level == level and newest.first <= at <= newest.last + self._patience_ms:
            newest.last = max(newest.last, at)
            return True
        if newest is None or at > newest.last:
            stays.append(_Stay(level, at, at))
            return True
        # An event that fell behind changes nothing if it repeats what a stay already covers.
        return any(s.level == level and s.first <= at <= s.last for s in reversed(stays))

    def _moves(self, stays: list[_Stay], cutoff_ms: int | None, sure_ms: int) -> Iterator[tuple[list[Move], bool]]:
        """What became of one player, each step with whether it is certain."""
        yield [_move(stays[0].first, None, stays[0].level)], True
        for before, after in pairwise(stays):
            silence = after.first - before.last
            stayed = [_move(after.first, before.level, after.level)] if before.level != after.level else []
            left = [
                _move(before.last + self._idle_ms, before.level, None),
                _move(after.first, None, after.level),
            ]
            if silence <= self._patience_ms:
                yield stayed, True
            elif silence > sure_ms:
                yield left, True
            else:
                yield stayed + left, False
        if cutoff_ms is not None and stays[-1].last < cutoff_ms:
            yield [_move(stays[-1].last + self._idle_ms, stays[-1].level, None)], True


def _move(at: int, source: str | None, target: str | None) -> Move:
    return at // _MINUTE_MS * 60, source, target


def _span(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _place(row: tuple[str, int] | None) -> str:
    return f"{row[0]} at {row[1]}" if row else "no row"
