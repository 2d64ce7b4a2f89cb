"""What a rebuild writes to LevelState so that the invariants hold: decided by three tables' contents alone (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headcount.model import LevelCount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headcount.audit import Moves

NO_COUNT = LevelCount(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a level's row is (None: there is none) and what it should be."""

    level: str
    was: LevelCount | None
    now: LevelCount


def corrections(recount: Mapping[str, int], levels: Mapping[str, LevelCount], moves: Moves) -> list[Correction]:
    """What makes I1, I2 and I4 hold (pure): counters of all time only rise, and never below what transitions sum to."""
    found = []
    for level in sorted(recount.keys() | levels.keys() | moves.entered.keys() | moves.left.keys()):
        was = levels.get(level)
        row, players = was or NO_COUNT, recount.get(level, 0)
        entered, left = max(row.entered, moves.entered[level]), max(row.left, moves.left[level])
        lacking = players - (entered - left)
        now = LevelCount(players, entered + max(0, lacking), left + max(0, -lacking))
        if now != row:
            found.append(Correction(level, was, now))
    return found
