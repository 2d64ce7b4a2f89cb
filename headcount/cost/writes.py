"""How often a consumer writes PlayerState (rule 2), in formulae (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headcount.cost.load import Load


@dataclass(frozen=True)
class PlayerWrites:
    """Conditional writes per level event, those that fail included: they cost as much."""

    changes: float
    renewals: float

    @property
    def total(self) -> float:
        """Of either kind."""
        return self.changes + self.renewals


def player_writes(load: Load, refresh: float) -> PlayerWrites:
    """What the consumer's workers write, each by its own memory.

    A player's events go to one worker (stable keys), or each to any of n (random keys). An event is a *change* to the
    worker that sees it if the player has moved on since the last event that this worker saw. Any other event is held
    back; it is written as a *renewal* if no change of this player takes it along within ``refresh``.
    """
    workers = 1 if load.stable_keys else load.kinesis_shards
    stays = 1 - 1 / load.events_per_level  # chance that the next event of a player is in the same level
    here = 1 / workers  # chance that the next event of a player goes to the same worker
    # The next event here is the player's first, second, third … since; the player has stayed through all of them.
    change = 1 - here * stays / (1 - stays * (1 - here))
    # From a write to the next: an event comes; it is a change, or is held back until a change or the refresh comes.
    changes_in_refresh = load.pace / 60 * here * change * refresh
    held = 1 - change
    undisturbed = math.exp(-changes_in_refresh)
    events_per_write = 1 + held * (1 - undisturbed) / change
    return PlayerWrites(change, held * undisturbed / events_per_write)
