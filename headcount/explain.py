"""`python -m headcount explain`: why a level or a player stands as it does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from headcount.rules import is_late

if TYPE_CHECKING:
    from headcount.model import Cutoff
    from headcount.settings import Settings
    from headcount.tables.counts import CountTables
    from headcount.tables.players import PlayerTable
    from headcount.tables.progress import ProgressTable

_SHOWN = 10  # transitions


@dataclass(frozen=True)
class Explain:
    """Reads the tables and tells, line by line."""

    players: PlayerTable
    counts: CountTables
    progress: ProgressTable
    settings: Settings

    def player(self, player: str) -> list[str]:
        """Where a player is by PlayerState, since when, and when they leave."""
        row, cutoff = self.players.get(player), self.progress.cutoff()
        if row is None:
            return ["PlayerState has no row of this player: not seen yet, or left.", *self._clock(cutoff)]
        leaves = row.at + self.settings.idle_timeout_ms + self.settings.allowed_lateness_ms
        lines = [
            f"In level {row.level} since the last event that was written: {shown(row.at)}.",
            f"Leaves once every shard's watermark is past {shown(leaves)}, unless an event renews the row before.",
        ]
        if is_late(row.at, cutoff.cutoff):
            lines.append("That is past already: the pruner's next pass deletes the row.")
        return [*lines, *self._clock(cutoff)]

    def level(self, level: str) -> list[str]:
        """A level's count, a recount of it, and its latest transitions."""
        row = self.counts.levels().get(level)
        recount = sum(1 for _, player in self.players.all() if player.level == level)
        lines = ["LevelState has no row of this level: nobody has ever been counted in it."]
        if row is not None:
            lines = [f"LevelState counts {row.players}: of all time {row.entered} entered, {row.left} left."]
        lines.append(f"PlayerState has {recount} players in it now.")
        moves = sorted(
            ((move, count) for move, count in self.counts.transitions() if level in (move.source, move.target)),
            key=lambda pair: -pair[0].period,
        )
        lines += [
            f"{shown(move.period * 1000)[:16]}  {move.source or '(entered)'} -> {move.target or '(left)'}: {count}"
            for move, count in moves[:_SHOWN]
        ]
        return [*lines, *self._clock(self.progress.cutoff())]

    def _clock(self, cutoff: Cutoff) -> list[str]:
        """The cutoff, every shard's watermark, and what pruning waits for."""
        if not cutoff.updated_at:
            return ["No pruner has run yet: nobody leaves."]
        lines = [
            f"Cutoff: {shown(cutoff.cutoff)}; the stream's event time: {shown(cutoff.stream_time)}.",
            f"The pruner's last pass: {shown(cutoff.updated_at)}.",
        ]
        shards = {name: row for name, row in self.progress.read_all("consumer/").items() if not row.ended}
        lines += [f"Watermark of {name}: {shown(row.watermark)}." for name, row in sorted(shards.items())]
        lines.append(f"Pruning waits: {cutoff.held_back}." if cutoff.held_back else "Pruning waits for nothing.")
        return lines


def shown(at: int | None) -> str:
    """A time in ms for a person."""
    if at is None:
        return "unknown"
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{at} ms, which is no time of any calendar"


def tally(progress: ProgressTable, identity: str) -> Counter[str]:
    """Records of a stream (``name@created``) by outcome, over all shards (invariant I5)."""
    total: Counter[str] = Counter()
    for row in progress.read_all(f"consumer/{identity}/").values():
        total.update(row.tallies)
    return total
