"""What the game map uses, a month, however many look at it (pure)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from headcount.cost import parts
from headcount.cost.bill import Line, Service
from headcount.cost.netting import Traffic, distinct
from headcount.rules import BUCKETS

if TYPE_CHECKING:
    from headcount.cost.load import Load, Pace

LOOK_SECONDS, LIST_SECONDS = 1.0, 10.0  # game_map/loop.py, game_map/reading.py
MINUTES_LOOKED_AT, SCANS_TO_LIST = 3, 2  # of Transitions in a look; of StreamProgress: game_map/reading.py
MAPS = 1
MINUTE = 60.0
EVENTUALLY = 0.5  # of a unit, for a read that need not be consistent


def game_map(load: Load, pace: Pace, choices: parts.Choices) -> list[Line]:
    """One replica; what visitors read of the history beyond an hour is not in it."""
    history = seen_levels(load) + 1
    kept = history * pace.history_kept / MINUTE * (parts.HISTORY_ROW + parts.ROW_OVERHEAD) / parts.GIGABYTE
    return [
        parts.writes("LevelHistory", history / MINUTE),
        parts.writes("game map's lease", parts.lease_renewals(1, pace)),
        parts.reads("game map's looks", _look(load) / LOOK_SECONDS),
        *(Line(Service.DYNAMODB, "history", price, kept) for price in ("dynamodb_storage", "dynamodb_recovery")),
        *parts.tasks("game_map", MAPS, parts.GAME_MAP, choices),
    ]


def seen_levels(load: Load) -> float:
    """Levels that have a player at any moment of a minute, on average."""
    hot = max(load.hot_level_share, 1 / load.levels)
    cold = (1 - hot) / (load.levels - 1)
    arrivals = (load.moves + load.entries) * MINUTE
    return sum(
        levels * -math.expm1(-(load.playing + arrivals) * share)
        for levels, share in ((1, hot), (load.levels - 1, cold))
    )


def _look(load: Load) -> float:
    """Read request units of one look."""
    levels = parts.scan(load.levels, parts.LEVEL_ROW)
    progress = EVENTUALLY * (load.kinesis_shards + load.stream_shards)
    rows = distinct(Traffic.of(load).transitions, MINUTE) / BUCKETS
    moves = MINUTES_LOOKED_AT * BUCKETS * EVENTUALLY * max(1.0, rows * parts.TRANSITION_ROW / parts.READ_BYTES)
    listing = SCANS_TO_LIST * parts.progress_scan(load) / LIST_SECONDS * LOOK_SECONDS
    return levels + progress + moves + listing
