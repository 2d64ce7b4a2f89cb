"""What a snapshot says, in the shape of the tutorial's two files, so that their readers go on unchanged (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from game_map.answers import told
from headcount.tables import integer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from game_map.board import Blur, Move
    from headcount.table_stream import StreamRecord

FILES = LEVELS, TRANSITIONS = "level_information.json", "transition_information.json"


def moves_of(records: Iterable[StreamRecord]) -> Counter[Move]:
    """How often each move was made, by changes of Transitions' rows as its stream tells them.

    The order doesn't matter: each record holds the count before and after. A row that expired takes nothing back.
    """
    moves: Counter[Move] = Counter()
    for record in records:
        change = record["dynamodb"]
        after = change.get("NewImage")
        if after is None:
            continue
        made = (integer(after, "transitionCount") or 0) - (integer(change.get("OldImage", {}), "transitionCount") or 0)
        source, target = after.get("levelFrom"), after.get("levelTo")
        moves[source and source["S"], target and target["S"]] += made
    return moves


@dataclass(frozen=True)
class Snapshot:
    """One update: its id, when it was made (wall clock, ms), and the two files' contents."""

    update_id: str
    made_at: int
    levels: Mapping[str, Any]
    transitions: Mapping[str, Any]

    @property
    def files(self) -> dict[str, Mapping[str, Any]]:
        """Contents by file name."""
        return {LEVELS: self.levels, TRANSITIONS: self.transitions}


@dataclass(frozen=True)
class Position:
    """How far Transitions' stream was read: by shard, the last record's place (None: none yet); what was read out."""

    stream: str = ""
    numbers: Mapping[str, str | None] = field(default_factory=dict)
    finished: frozenset[str] = frozenset()


def snapshot(
    update_id: str, made_at: int, interval: float, players: Mapping[str, int], moves: Mapping[Move, int], blur: Blur
) -> Snapshot:
    """The update at ``made_at`` (ms): levels that have players, and the ``moves`` that came since the one before."""
    head = {
        "update_time": datetime.fromtimestamp(made_at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "update_id": update_id,
        "update_interval_secs": int(interval) if interval == int(interval) else interval,
    }
    counts = {level: count for level, count in sorted(players.items()) if count > 0 and blur.players(count) is not None}
    made = sorted(blur.moves({move: count for move, count in moves.items() if count > 0}).items(), key=_by_name)
    return Snapshot(
        update_id,
        made_at,
        {**head, "level_player_counts": counts},
        {**head, "transitions": told(dict(made))},
    )


def _by_name(one: tuple[Move, int]) -> tuple[str, str]:
    (source, target), _ = one
    return source or "", target or ""
