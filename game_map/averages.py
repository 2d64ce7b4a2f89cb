"""From what is read once a second to averages of minutes (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from game_map.board import MINUTE
from headcount.model import Average

HELD_SECONDS = 10.0  # so long what was read is taken for true, if nothing newer is read; then a map is not ready, too
LEAST_SECONDS = MINUTE / 2  # of a minute that must be covered for an average of it
STEP_SECONDS = 1.0  # clocks that differ by more: the wall clock was set
DIGITS = 3  # of an average

Averages = Mapping[str, Average]  # by level; of those that had players


class Ended(NamedTuple):
    """A minute (its start, epoch s) that is over; ``averages`` None: too little of it was seen."""

    minute: int
    averages: Averages | None


@dataclass(slots=True)
class _Open:
    minute: int
    seconds: float = 0.0  # covered
    sums: dict[str, float] = field(default_factory=dict)  # players times seconds
    least: dict[str, int] = field(default_factory=dict)

    def add(self, seconds: float, players: Mapping[str, int]) -> None:
        self.seconds += seconds
        for level, count in players.items():
            self.sums[level] = self.sums.get(level, 0.0) + count * seconds
            self.least[level] = min(count, self.least.get(level, count))

    def ended(self) -> Ended:
        if self.seconds < LEAST_SECONDS:
            return Ended(self.minute, None)
        means = {level: round(total / self.seconds, DIGITS) for level, total in self.sums.items()}
        return Ended(self.minute, {level: Average(mean, self.least[level]) for level, mean in means.items() if mean})


class Averaging:
    """Weighs each look by the time until the next one. An average is of the part of the minute that was covered.

    The wall clock says which minute it is. Where it was set, the monotonic clock says how much time went by; a minute
    that it goes back to is begun anew, and ends once more.
    """

    def __init__(self) -> None:
        self._open: _Open | None = None
        self._last: tuple[float, float, Mapping[str, int]] | None = None

    def look(self, wall: float, monotonic: float, players: Mapping[str, int]) -> list[Ended]:
        """``players`` were read at ``wall`` (epoch s); returns the minutes that ended since the last look."""
        ended: list[Ended] = []
        if self._last is not None:
            began, since, were = self._last
            passed, moved = monotonic - since, wall - began
            held = min(moved if abs(moved - passed) <= STEP_SECONDS else passed, HELD_SECONDS)
            ended += self._cover(began, began + held, were)
        ended += self._turn_to(minute_of(wall))
        self._last = wall, monotonic, {level: count for level, count in players.items() if count > 0}
        return ended

    def _cover(self, begin: float, end: float, players: Mapping[str, int]) -> list[Ended]:
        ended: list[Ended] = []
        while begin < end:
            minute = minute_of(begin)
            ended += self._turn_to(minute)
            until = min(end, float(minute + MINUTE))
            if self._open is not None:
                self._open.add(until - begin, players)
            begin = until
        return ended

    def _turn_to(self, minute: int) -> list[Ended]:
        """Begin a minute, unless it is the one under way."""
        before = self._open
        if before is not None and before.minute == minute:
            return []
        self._open = _Open(minute)
        return [] if before is None else [before.ended()]


def minute_of(wall: float) -> int:
    """The start of the minute that it is then."""
    return int(wall // MINUTE) * MINUTE
