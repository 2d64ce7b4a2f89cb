"""AWS's prices, from the one file that holds them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Price:
    """``usd`` buys ``per`` of ``unit``; ``free`` of them a month cost nothing."""

    usd: float
    per: float
    unit: str
    source: str
    free: float = 0

    def of(self, amount: float) -> float:
        """USD for ``amount`` units, none of them free."""
        return amount / self.per * self.usd


@dataclass(frozen=True)
class Prices:
    """A region's prices by name, and the day they were looked up."""

    region: str
    date: str
    by_name: dict[str, Price]


@cache
def load_prices() -> Prices:
    """As ``prices.toml`` has them."""
    told = tomllib.loads((files(__package__) / "prices.toml").read_text("utf-8"))
    return Prices(told.pop("region"), told.pop("date"), {name: Price(**price) for name, price in told.items()})
