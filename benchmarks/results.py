"""What a section of the benchmarks finds: figures with their spread, and how they stand to the targets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Sense(StrEnum):
    """Which way a target is reached."""

    LEAST = ">="
    MOST = "<="


@dataclass(frozen=True)
class Figure:
    """Something measured in several runs (or once)."""

    name: str
    unit: str
    values: tuple[float, ...]
    note: str = ""

    @property
    def median(self) -> float:
        """Half of the runs were below."""
        return median(self.values)

    def told(self) -> dict[str, Any]:
        """For the report."""
        spread = {"median": self.median, "min": min(self.values), "max": max(self.values), "runs": len(self.values)}
        return {"name": self.name, "unit": self.unit, **spread, "note": self.note}


@dataclass(frozen=True)
class Target:
    """One line of the targets; ``ratio``: to the baseline in the same run."""

    figure: str
    sense: Sense
    wanted: float
    reached: float
    unit: str
    ratio: float | None = None

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached >= self.wanted if self.sense is Sense.LEAST else self.reached <= self.wanted


@dataclass(frozen=True)
class Chart:
    """A picture: per series a value per label. ``lines``: over a run, else bars."""

    name: str
    title: str
    labels: tuple[str, ...]
    series: Mapping[str, tuple[float | None, ...]]
    lines: bool = False
    logarithmic: bool = False


@dataclass
class Findings:
    """All of one section."""

    title: str
    method: str
    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)

    def figure(self, name: str, unit: str, values: Sequence[float] | float, note: str = "") -> float:
        """Note a figure; returns its median."""
        found = Figure(name, unit, (values,) if isinstance(values, float | int) else tuple(values), note)
        self.figures.append(found)
        return found.median

    def target(
        self, figure: str, sense: Sense, wanted: float, reached: float, unit: str, ratio: float | None = None
    ) -> None:
        """Note how a target stands."""
        self.targets.append(Target(figure, sense, wanted, reached, unit, ratio))

    def told(self) -> dict[str, Any]:
        """For the report."""
        return {
            "title": self.title,
            "method": self.method,
            "figures": [figure.told() for figure in self.figures],
            "targets": [{**asdict(target), "met": target.met} for target in self.targets],
            "charts": [asdict(chart) for chart in self.charts],
        }


def in_turn(runs: int, *ways: Callable[[], float]) -> list[list[float]]:
    """Run the ways in turn, A B A B …, so that a machine whose speed drifts treats them alike; values per way."""
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for values, way in zip(found, ways, strict=True):
            values.append(way())
    return found


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Pair by pair."""
    return [one / other for one, other in zip(ours, others, strict=True)]
