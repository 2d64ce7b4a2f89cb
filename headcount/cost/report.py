"""The two designs' bills beside each other: as a table for a terminal, in Markdown, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from headcount.cost import ours, tutorial
from headcount.cost.bill import SECONDS, Bill, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headcount.cost.load import Load, Pace
    from headcount.cost.parts import Choices
    from headcount.cost.prices import Prices

COLUMNS = (
    "",
    "Headcount, USD a month",
    "per million events",
    "Tutorial, USD a month",
    "per million events",
    "times as much",
)
_WRITES, _READS = "writes: ", "reads: "


@dataclass(frozen=True)
class Row:
    """USD a month of both; ``sum``: of the rows that follow it up to the next sum."""

    what: str
    ours: float
    tutorial: float
    is_sum: bool

    @property
    def ratio(self) -> str:
        """How many times as much the tutorial's design costs."""
        return f"{self.tutorial / self.ours:.1f}" if self.is_sum and self.ours and self.tutorial else ""


class Comparison:
    """Both bills for one load."""

    def __init__(self, load: Load, pace: Pace, choices: Choices, prices: Prices) -> None:
        self.load, self.prices = load, prices
        self.ours = Bill(ours.lines(load, pace, choices), prices)
        self.tutorial = Bill(tutorial.lines(load, pace, choices), prices)
        self.million_events = load.events_per_second * SECONDS / 1e6

    def rows(self, *, brief: bool = False) -> Iterator[Row]:
        """In the order in which they are shown; ``brief``: sums only."""
        mine, theirs = self.ours.by_what(), self.tutorial.by_what()
        order = [*mine, *(key for key in theirs if key not in mine)]
        groups: dict[str, list[tuple[Service, str]]] = {}
        for service, what in sorted(order, key=lambda key: list(Service).index(key[0])):
            groups.setdefault(_group(service, what), []).append((service, what))
        for group, keys in groups.items():
            yield Row(
                group, sum(mine.get(key, 0) for key in keys), sum(theirs.get(key, 0) for key in keys), is_sum=True
            )
            if not brief:
                for key in keys:
                    yield Row(
                        key[1].removeprefix(_WRITES).removeprefix(_READS),
                        mine.get(key, 0),
                        theirs.get(key, 0),
                        is_sum=False,
                    )
        kinesis = self.ours.of(Service.KINESIS)
        yield Row("All but the stream", self.ours.total - kinesis, self.tutorial.total - kinesis, is_sum=True)
        yield Row("All", self.ours.total, self.tutorial.total, is_sum=True)

    def units_per_event(self, bill: Bill) -> float:
        """Write request units per event, the KCL's among them."""
        return sum(bill.units("dynamodb_write").values()) / self.million_events / 1e6

    def sentences(self) -> list[str]:
        """What the table is about."""
        load = self.load
        keys = "keys that are stable by player" if load.stable_keys else "random keys"
        units = (self.units_per_event(bill) for bill in (self.ours, self.tutorial))
        game = (
            f"{load.events_per_second:g} events/s on {load.kinesis_shards} shards with {keys}, "
            f"{load.level_events:g} of them level events, {load.pace:.3g} a minute and player, "
            f"{load.events_per_level:g} per level; {load.players} players, {load.levels} levels."
        )
        figures = "Write units per event: Headcount {:.3f}, tutorial {:.3f}.".format(*units)
        return [game, f"{figures} Prices of {self.prices.region} as of {self.prices.date}.", *load.notes()]

    def cells(self, *, brief: bool = False) -> Iterator[tuple[Row, tuple[str, ...]]]:
        """Each row and its text."""
        for row in self.rows(brief=brief):
            million = self.million_events
            money = (row.ours, row.ours / million, row.tutorial, row.tutorial / million)
            shown = [f"{usd:,.{digits}f}" if usd else "" for usd, digits in zip(money, (2, 3, 2, 3), strict=True)]
            yield row, (row.what, *shown, row.ratio)


def markdown(found: Comparison, *, brief: bool = False) -> str:
    """For a page, or a pipe."""
    rows = [COLUMNS, ("---", *["---:"] * (len(COLUMNS) - 1))]
    for row, cells in found.cells(brief=brief):
        rows.append(tuple(f"**{cell}**" if cell and row.is_sum and not brief else cell for cell in cells))
    table = [f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |") for cells in rows]
    return "\n".join([*found.sentences(), "", *table]) + "\n"


def table(found: Comparison, *, brief: bool = False) -> Table:
    """For a terminal."""
    made = Table(title="\n".join(found.sentences()), title_justify="left", title_style="")
    for number, column in enumerate(COLUMNS):
        made.add_column(column, justify="right" if number else "left")
    for row, cells in found.cells(brief=brief):
        indented = cells[0] if row.is_sum or brief else f"  {cells[0]}"
        made.add_row(indented, *cells[1:], style="bold" if row.is_sum else "dim")
    return made


def as_json(found: Comparison) -> dict[str, Any]:
    """Plain values. ``amount``: a month, in ``unit``."""

    def told(bill: Bill) -> dict[str, Any]:
        prices = found.prices.by_name
        return {
            "usd_a_month": bill.total,
            "usd_per_million_events": bill.total / found.million_events,
            "write_units_per_event": found.units_per_event(bill),
            "lines": [
                {
                    "service": line.service.value,
                    "what": line.what,
                    "amount": line.amount,
                    "unit": prices[line.price].unit,
                    "usd_a_month": bill.usd(line),
                }
                for line in bill.lines
            ],
        }

    given = {name: value for name, value in asdict(found.load).items() if value != float("inf")}
    return {
        "prices": {"region": found.prices.region, "date": found.prices.date},
        "load": given | {"shards": found.load.kinesis_shards, "events_per_minute_and_player": found.load.pace},
        "notes": found.load.notes(),
        "headcount": told(found.ours),
        "tutorial": told(found.tutorial),
    }


def _group(service: Service, what: str) -> str:
    if service is not Service.DYNAMODB:
        return service.value
    return "DynamoDB, writes" if what.startswith(_WRITES) else "DynamoDB, reads and storage"
