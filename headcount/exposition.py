"""Several registries shown as one, in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Metric, disable_created_metrics, generate_latest
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

# They are a series more for each counter, of a kind that `promtool check metrics` refuses.
disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types


class _Sum(Collector):
    """The families of several registries; where two have a family, as supervisor and workers do, its samples add up."""

    def __init__(self, registries: Iterable[CollectorRegistry]) -> None:
        self._registries = registries

    def collect(self) -> Iterable[Metric]:
        """One family per name, in the order of the registries."""
        families: dict[str, Metric] = {}
        for registry in self._registries:
            for family in registry.collect():
                known = families.get(family.name)
                families[family.name] = family if known is None else _added(known, family)
        return families.values()


def _added(one: Metric, other: Metric) -> Metric:
    added = Metric(one.name, one.documentation, one.type)
    sums: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for sample in (*one.samples, *other.samples):
        series = sample.name, tuple(sorted(sample.labels.items()))
        sums[series] = sums.get(series, 0.0) + sample.value
    for (name, labels), value in sums.items():
        added.add_sample(name, dict(labels), value)
    return added


def exposition(*registries: CollectorRegistry) -> bytes:
    """The registries as one text."""
    return generate_latest(_Sum(registries))
