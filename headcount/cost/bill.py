"""Lines of a bill, and their sum (pure)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headcount.cost.prices import Prices

HOURS = 730.0  # a month, as AWS reckons
SECONDS = HOURS * 3600


class Service(StrEnum):
    """Of AWS."""

    DYNAMODB = "DynamoDB"
    KINESIS = "Kinesis"
    FARGATE = "Fargate"
    LAMBDA = "Lambda"
    CLOUDWATCH = "CloudWatch"


@dataclass(frozen=True)
class Line:
    """``amount``: a month, in units of the price of that name."""

    service: Service
    what: str
    price: str
    amount: float


def each_second(service: Service, what: str, price: str, amount: float) -> Line:
    """A line of what is used so often a second."""
    return Line(service, what, price, amount * SECONDS)


@dataclass(frozen=True)
class Bill:
    """What one design costs a month."""

    lines: Sequence[Line]
    prices: Prices

    def usd(self, line: Line) -> float:
        """Of a line. What is free is shared out among the lines of one price."""
        price = self.prices.by_name[line.price]
        whole = sum(other.amount for other in self.lines if other.price == line.price)
        return price.of(line.amount) * (1 - min(price.free / whole, 1)) if whole else 0

    def by_what(self) -> dict[tuple[Service, str], float]:
        """USD by service and purpose."""
        found: defaultdict[tuple[Service, str], float] = defaultdict(float)
        for line in self.lines:
            found[line.service, line.what] += self.usd(line)
        return dict(found)

    def of(self, *services: Service) -> float:
        """USD of these services."""
        return sum(self.usd(line) for line in self.lines if line.service in services)

    @property
    def total(self) -> float:
        """USD."""
        return self.of(*Service)

    def units(self, price: str) -> dict[str, float]:
        """Units of a price by purpose."""
        return {line.what: line.amount for line in self.lines if line.price == price}
