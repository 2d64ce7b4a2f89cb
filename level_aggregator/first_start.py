"""A first start: whether what LevelState says is what PlayerState was when its stream begins.

Before anything of a stream was counted nothing tells how much of it was trimmed, nor whether PlayerState had rows
before there was a stream. So it is read once: the first change of a player says where the player was before, and a
player of whom it says nothing was always there. A new system, whose consumer may already write, starts from nothing
on both sides.

That "nothing was counted yet" is what the progress says, and the progress may be lost. Transitions remember: where they
know more than LevelState, or are of a time when the stream was there already, it was counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headcount.audit import Moves
from headcount.explain import shown
from headcount.rules import CLOCK_SKEW_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from headcount.model import LevelCount, Transition
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


@dataclass(frozen=True)
class Remembered:
    """What Transitions say: their sums, and the newest minute (ms) in which somebody entered a level."""

    moves: Moves
    newest: int | None

    @classmethod
    def by(cls, transitions: Iterable[tuple[Transition, int]]) -> Remembered:
        """Sum them up, one after the other."""
        newest = None

        def entries_noted() -> Iterator[tuple[Transition, int]]:
            nonlocal newest
            for move, count in transitions:
                # Not the leaves: who is forgotten leaves at a time to come.
                if move.target is not None:
                    newest = max(newest or 0, move.period * 1000)
                yield move, count

        moves = Moves.of(entries_noted())
        return cls(moves, newest)


def counted_before(
    remembered: Remembered, levels: Mapping[str, LevelCount], since: int, *, is_empty: bool
) -> str | None:
    """Why the stream was counted already, though no progress says so; None: nothing tells that it was (pure).

    ``since`` (ms): when the stream was made, or a rebuild of LevelState ended; ``is_empty``: there is nothing on it.
    """
    unknown = sum(
        max(0, count - (getattr(levels[level], side) if level in levels else 0))
        for side, sums in (("entered", remembered.moves.entered), ("left", remembered.moves.left))
        for level, count in sums.items()
    )
    if unknown:
        return (
            "by StreamProgress nothing of PlayerState's stream was counted yet, but Transitions remember more entries "
            f"and exits of levels than LevelState does ({unknown} more): both were lost, or are older, and what is on "
            "the stream would be counted into Transitions again"
        )
    # An event may be stamped a little later than it arrived (rule 5).
    if not is_empty and remembered.newest is not None and remembered.newest > since + CLOCK_SKEW_MS:
        return (
            "by StreamProgress nothing of PlayerState's stream was counted yet, but Transitions remember the minute "
            f"{shown(remembered.newest)}, after the stream was made ({shown(since)}): the progress was lost, and what "
            "is on the stream would be counted again"
        )
    return None


def _level(image: dict[str, Any] | None) -> str | None:
    return image["levelId"]["S"] if image else None
