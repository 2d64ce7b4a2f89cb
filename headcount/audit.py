"""`python -m headcount audit`: compares LevelState with a recount of PlayerState (rule 9; invariants I1, I2, I4)."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from headcount.model import LevelCount, Transition
    from headcount.tables.counts import CountTables
    from headcount.tables.players import PlayerTable

RECOUNTS = 3  # a live difference is one that stands in so many
SPACING_SECONDS = 5.0  # beyond the aggregator's lag


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """Something that breaks an invariant: at ``level``, ``found`` stands where ``expected`` should."""

    invariant: str
    level: str
    what: str
    found: int
    expected: int

    @property
    def off(self) -> int:
        """How far ``found`` is off."""
        return self.found - self.expected

    @property
    def standing(self) -> tuple[str, str, str, int]:
        """What stays the same of a real difference while the counts themselves move."""
        return self.invariant, self.level, self.what, self.off

    def __str__(self) -> str:
        what = f"{self.what} is {self.found}, should be {self.expected}"
        return f"{self.invariant} {self.level}: {what} (off by {self.off:+})"


@dataclass(frozen=True)
class Moves:
    """The sums of Transitions: how often each level was entered and left. There may be millions of rows."""

    entered: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, transitions: Iterable[tuple[Transition, int]]) -> Moves:
        """Sum them up, one after the other."""
        moves = cls()
        for move, count in transitions:
            if move.target is not None:
                moves.entered[move.target] += count
            if move.source is not None:
                moves.left[move.source] += count
        return moves


def differences(
    recount: Mapping[str, int], levels: Mapping[str, LevelCount], moves: Moves, *, none_expired: bool = False
) -> list[Difference]:
    """What breaks I1, I2 and I4 (pure). ``recount``: players per level by PlayerState.

    Buckets of transitions expire, so they may sum to less than the counters of all time; not where it is known that
    ``none_expired`` yet.
    """
    entered, left = moves.entered, moves.left
    found = []
    for level in sorted(recount.keys() | levels.keys() | entered.keys() | left.keys()):
        row = levels.get(level)
        players, ins, outs = (row.players, row.entered, row.left) if row else (0, 0, 0)
        if players != recount.get(level, 0):
            found.append(Difference("I1", level, "playerCount", players, recount.get(level, 0)))
        if players < 0:
            found.append(Difference("I2", level, "playerCount", players, 0))
        if ins - outs != players:
            found.append(Difference("I4", level, "entered - left", ins - outs, players))
        if entered[level] > ins or (none_expired and entered[level] < ins):
            found.append(Difference("I4", level, "sum of transitions into it", entered[level], ins))
        if left[level] > outs or (none_expired and left[level] < outs):
            found.append(Difference("I4", level, "sum of transitions out of it", left[level], outs))
    return found


@dataclass(frozen=True)
class Audit:
    """The tables to compare."""

    players: PlayerTable
    counts: CountTables
    sleep: Callable[[float], None] = time.sleep

    def strict(self, *, none_expired: bool = False, sums: bool = True) -> list[Difference]:
        """One recount: for a drained system, in which nothing is under way; ``sums``: with those of Transitions."""
        # Transitions before levels before players: what is under way meanwhile shows as itself, not as a broken I4.
        moves = Moves.of(self.counts.transitions()) if sums else Moves()  # which may sum to less
        levels = self.counts.levels()
        recount = Counter(row.level for _, row in self.players.all())
        return differences(recount, levels, moves, none_expired=none_expired)

    def live(self, *, sums: bool = True) -> list[Difference]:
        """Only the differences that stand, the same, in several spaced recounts: the others are on their way."""
        standing = {difference.standing: difference for difference in self.strict(sums=sums)}
        for _ in range(RECOUNTS - 1):
            if not standing:
                break
            self.sleep(SPACING_SECONDS)
            now = {difference.standing: difference for difference in self.strict(sums=sums)}
            standing = {what: difference for what, difference in now.items() if what in standing}
        return sorted(standing.values())
