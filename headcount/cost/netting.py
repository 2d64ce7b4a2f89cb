"""How far the aggregator's batches net (rule 7): items of a transaction, by how popular the levels are (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from headcount.cost.load import Load

_BISECTIONS = 60
_MOST_ITEMS = 100  # DynamoDB's limit for one transaction


@dataclass(frozen=True)
class _Kind:
    """So many rows, each of which is touched so often a second."""

    rows: float
    rate: float


def distinct(kinds: Iterable[_Kind], seconds: float) -> float:
    """How many different rows are touched within ``seconds``, on average: the moments are random."""
    return sum(kind.rows * -math.expm1(-kind.rate * seconds) for kind in kinds)


@dataclass(frozen=True)
class Traffic:
    """Rows of LevelState and Transitions that players' moves touch, one hot level among the others."""

    levels: tuple[_Kind, ...]
    transitions: tuple[_Kind, ...]
    moves: float  # of all kinds, a second

    @classmethod
    def of(cls, load: Load, share: float = 1) -> Traffic:
        """Of a ``share`` of the players: those whose rows are in one partition of PlayerState."""
        others = load.levels - 1
        hot = max(load.hot_level_share, 1 / load.levels)
        cold = (1 - hot) / others
        moves, entries = load.moves * share, load.entries * share
        # From a level to another one, each by its popularity.
        unequal = 1 - hot**2 - others * cold**2
        to_or_from_hot, among_others = moves * hot * cold / unequal, moves * cold**2 / unequal
        transitions = (
            _Kind(2 * others, to_or_from_hot),
            _Kind(others * (others - 1), among_others),
            _Kind(2, entries * hot),
            _Kind(2 * others, entries * cold),
        )
        hot_rate = 2 * others * to_or_from_hot + 2 * entries * hot
        total = moves + 2 * entries
        cold_rate = (2 * moves + 2 * entries - hot_rate) / others
        return cls((_Kind(1, hot_rate), _Kind(others, cold_rate)), transitions, total)

    def items(self, seconds: float) -> float:
        """Rows besides the progress that the moves of ``seconds`` change, on average."""
        return distinct(self.levels, seconds) + distinct(self.transitions, seconds)


@dataclass(frozen=True)
class Batches:
    """What one shard of PlayerState's stream is read and counted as, a second."""

    reads: float
    with_records: float  # share of the reads that bring any
    transactions: float
    level_items: float
    transition_items: float

    @property
    def items(self) -> float:
        """Written in transactions, the progress included."""
        return self.transactions + self.level_items + self.transition_items


def batches(traffic: Traffic, records: float, poll: float) -> Batches:
    """``records``: a second, on that shard; ``poll``: s between two reads, twice that after one without records."""
    interval = 2 * poll
    for _ in range(_BISECTIONS):
        interval = poll * (1 + math.exp(-records * interval))
    # A batch that does not fit is taken in parts; each nets by itself.
    part = min(interval, _longest(traffic))
    parts = interval / part
    return Batches(
        1 / interval,
        -math.expm1(-records * interval),
        parts * -math.expm1(-traffic.moves * part) / interval,
        parts * distinct(traffic.levels, part) / interval,
        parts * distinct(traffic.transitions, part) / interval,
    )


def _longest(traffic: Traffic) -> float:
    """The s whose moves just fill a transaction."""
    low, high = 0.0, 1.0
    while 1 + traffic.items(high) < _MOST_ITEMS:
        if high > 1e6:  # noqa: PLR2004 (never: too few levels for a hundred rows)
            return math.inf
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 + traffic.items(middle) < _MOST_ITEMS else (low, middle)
    return low
