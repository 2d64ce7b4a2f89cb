"""The operators' answer: write units per event and USD per million events, beside the tutorial's design."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from game_map.board import MINUTE
from game_map.usage import CONSUMER, SERVICES
from headcount.cost.load import ImpossibleLoadError, Load, Pace
from headcount.cost.parts import Choices
from headcount.cost.prices import load_prices
from headcount.cost.report import Comparison

if TYPE_CHECKING:
    from game_map.board import Board
    from game_map.usage import Meter, Rates, Usage
    from headcount.settings import Settings

MINUTES = 5  # whole ones, that moves are counted of
MOST_EVENTS_PER_LEVEL = 1e9  # where nobody moves
MILLION = 1e6
WRITES = "dynamodb_write"
KCL = "writes: KCL"  # its own tables: nobody in Python sees what it writes there


class Ops:
    """Made once per look of the `Meter`. The bill as a whole is reckoned, by docs/cost.md's formulae."""

    def __init__(self, meter: Meter, settings: Settings) -> None:
        self._meter, self._pace, self._prices = meter, Pace.of(settings), load_prices()
        self._told: tuple[Usage, dict[str, Any]] | None = None

    def told(self, board: Board) -> dict[str, Any] | None:
        """What `/api/ops` answers; None: the rows were not yet looked at twice."""
        usage = self._meter.newest
        if usage is None:
            return None
        if self._told is None or self._told[0] is not usage:
            self._told = usage, self._figures(usage, board)
        head = {"version": board.version, "asOf": board.as_of, "lagSeconds": board.lag_seconds}
        return {**head, **self._told[1]}

    def _figures(self, usage: Usage, board: Board) -> dict[str, Any]:
        now = usage.now
        load = load_of(usage, board)
        found = Comparison(load, self._pace, Choices(), self._prices) if load else None
        theirs = _tutorial_units(found) if found else None
        ours = now.per_event(*SERVICES)
        return {
            "since": round(usage.since * 1000),
            "seconds": now.seconds,
            "eventsPerSecond": now.events,
            "writeUnitsPerEvent": {"headcount": ours, "tutorial": theirs},
            "usdPerMillionEvents": {"headcount": self._usd(ours), "tutorial": self._usd(theirs)},
            "wholeBillPerMillionEvents": {
                "headcount": found.ours.total / found.million_events if found else None,
                "tutorial": found.tutorial.total / found.million_events if found else None,
            },
            "prices": {"region": self._prices.region, "date": self._prices.date},
            "services": [self._service(name, now) for name in SERVICES],
            "shards": [
                {
                    "service": shard.service,
                    "shard": shard.shard,
                    "lagSeconds": None if shard.seen_at is None else max(0.0, now.at - shard.seen_at / 1000),
                    "movedSeconds": max(0.0, now.at - shard.updated_at / 1000),
                }
                for shard in usage.shards
            ],
            "minutes": [
                {
                    "start": int(minute.at // MINUTE * MINUTE),
                    "eventsPerSecond": minute.events,
                    "writeUnitsPerEvent": minute.per_event(*SERVICES),
                }
                for minute in usage.minutes
            ],
        }

    def _service(self, name: str, now: Rates) -> dict[str, Any]:
        per_event = now.per_event(name)
        return {
            "service": name,
            "writeUnitsPerSecond": now.units[name],
            "writeUnitsPerEvent": per_event,
            "usdPerMillionEvents": self._usd(per_event),
        }

    def _usd(self, units_per_event: float | None) -> float | None:
        return None if units_per_event is None else self._prices.by_name[WRITES].of(units_per_event * MILLION)


def load_of(usage: Usage, board: Board) -> Load | None:
    """The game as it is now, in the terms of `headcount.cost`; None: nobody plays."""
    now, crowd = usage.now, board.crowd
    whole = sorted(board.moves)[:-1][-MINUTES:]
    made = [(move, count) for minute in whole for move, count in board.moves[minute].items()]
    seconds = len(whole) * MINUTE or 1
    entries = sum(count for (source, _), count in made if source is None) / seconds
    changes = sum(count for (_, target), count in made if target is not None) / seconds
    players = sum(crowd.values())
    if not now.level_events or not players:
        return None
    try:
        return Load(
            events_per_second=now.events,
            players=players,
            levels=max(2, len(crowd)),
            shards=sum(1 for shard in usage.shards if shard.service == CONSUMER),
            level_share=now.level_events / now.events,
            events_per_level=min(
                now.level_events / changes if changes else MOST_EVENTS_PER_LEVEL, MOST_EVENTS_PER_LEVEL
            ),
            session_minutes=players / entries / MINUTE * (1 + 1e-9) if entries else float("inf"),
            hot_level_share=min(0.99, max(crowd.values()) / players),
        )
    except ImpossibleLoadError:
        return None


def _tutorial_units(found: Comparison) -> float:
    units = found.tutorial.units(WRITES)
    return (sum(units.values()) - units.get(KCL, 0)) / found.million_events / MILLION
