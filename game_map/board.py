"""What the map shows at one moment, and how two moments differ (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from headcount.model import Average

MINUTE = 60  # s
Move = tuple[str | None, str | None]  # from (None: entered the game), to (None: left it)


@dataclass(frozen=True, slots=True)
class Board:
    """Counts and moves as they were read at ``version`` (wall clock, ms), which is greater from one to the next.

    ``as_of``: what had arrived by then is in the counts (ms; None: not known yet). ``players``: of every level that
    LevelState has, also of empty ones. ``moves``: how often each was made, by minute (its start, epoch s).
    """

    version: int
    as_of: int | None = None
    players: Mapping[str, int] = field(default_factory=dict)
    moves: Mapping[int, Mapping[Move, int]] = field(default_factory=dict)

    @property
    def lag_seconds(self) -> float | None:
        """How old the counts were when they were read."""
        return None if self.as_of is None else max(0, self.version - self.as_of) / 1000

    @property
    def crowd(self) -> dict[str, int]:
        """The levels that have players, fullest first."""
        there = [(level, count) for level, count in self.players.items() if count > 0]
        return dict(sorted(there, key=lambda one: (-one[1], one[0])))

    def moves_since(self, period: int) -> dict[Move, int]:
        """How often each move was made in the minutes from ``period`` on (epoch s), most frequent first."""
        sums: dict[Move, int] = {}
        for minute, moves in self.moves.items():
            if minute >= period:
                for move, count in moves.items():
                    sums[move] = sums.get(move, 0) + count
        return dict(sorted(sums.items(), key=lambda one: (-one[1], one[0][0] or "", one[0][1] or "")))


def changes(before: Board, after: Board, blur: Blur) -> dict[str, int]:
    """The levels of which another count is told, with what it is now; 0 where the level is gone."""
    levels = before.players.keys() | after.players.keys()
    return {
        level: after.players.get(level, 0)
        for level in sorted(levels)
        if blur.players(before.players.get(level, 0)) != blur.players(after.players.get(level, 0))
    }


@dataclass(frozen=True, slots=True)
class Blur:
    """Hides how many there are where they are few; ``fewest``: the least number that is told (0, 1: all are)."""

    fewest: int = 0

    def players(self, count: int) -> int | None:
        """The number as it may be told; None: few."""
        return None if 0 < count < self.fewest else count

    def total(self, counts: Mapping[str, int]) -> int:
        """The sum of what is told: the whole would give one hidden number away."""
        return sum(self.players(count) or 0 for count in counts.values())

    def average(self, average: Average | None) -> float | None:
        """Of a minute (None: nobody was there), as it may be told. None where the level was nearly empty at any time.

        Those who are told the numbers of the moment could else work out from an average the ones that are hidden.
        """
        if average is None:
            return 0
        return None if 0 < average.least < self.fewest else average.players

    def averages(self, averages: Mapping[str, Average]) -> dict[str, float | None]:
        """As `average`, of all levels of a minute at once."""
        fewest = self.fewest
        return {level: None if 0 < least < fewest else players for level, (players, least) in averages.items()}

    def moves(self, moves: Mapping[Move, int]) -> dict[Move, int]:
        """Those that may be told."""
        return {move: count for move, count in moves.items() if count >= self.fewest}
