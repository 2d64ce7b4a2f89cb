"""A first start: whether what LevelState says is what PlayerState was when its stream begins.

Before anything of a stream was counted nothing tells how much of it was trimmed, nor whether PlayerState had rows
before there was a stream. So it is read once: the first change of a player says where the player was before, and a
player of whom it says nothing was always there. A new system, whose consumer may already write, starts from nothing
on both sides.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headcount.model import LevelCount
    from headcount.table_stream import Reading, StreamRecord
    from headcount.tables.players import PlayerTable

# A change shows on the stream mostly within a second. A row seen in the table and not on the stream for so long was
# there before the stream.
TIP_SECONDS, SETTLE_SECONDS = 1.0, 5.0
BUSY_TIP_SECONDS = 3.0  # where changes come all the time


def beginning(players: PlayerTable, reading: Reading) -> Counter[str]:
    """Players per level when the stream begins, by the table as it is and all that ``reading`` finds."""
    first: dict[str, str | None] = {}  # by player, the level before the first change (None: none)

    def take(records: list[StreamRecord]) -> None:
        for record in records:
            change = record["dynamodb"]
            player = change["Keys"]["playerId"]["S"]
            if player not in first:
                first[player] = _level(change.get("OldImage"))

    reading.until_quiet(TIP_SECONDS, take, BUSY_TIP_SECONDS)
    rows = {player: row.level for player, row in players.all() if player not in first}
    if rows:
        reading.until_quiet(SETTLE_SECONDS, take, SETTLE_SECONDS)
    counts = Counter(level for level in first.values() if level is not None)
    counts.update(level for player, level in rows.items() if player not in first)
    return counts


def difference(begins: Mapping[str, int], levels: Mapping[str, LevelCount]) -> str | None:
    """What is lost if LevelState, as it is, is counted on from there; None: nothing (pure)."""
    known = {level: count.players for level, count in levels.items()}
    off = sum(1 for level in begins.keys() | known.keys() if begins.get(level, 0) != known.get(level, 0))
    if not off:
        return None
    return (
        f"nothing of PlayerState's stream was counted yet, and where it begins PlayerState has {sum(begins.values())} "
        f"players, LevelState {sum(known.values())}; {off} {'level differs' if off == 1 else 'levels differ'}"
    )


def _level(image: dict[str, Any] | None) -> str | None:
    return image["levelId"]["S"] if image else None
