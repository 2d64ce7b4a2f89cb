"""The kinds of metrics that Headcount has beside prometheus-client's plain ones.

A process writes its metrics into files if ``PROMETHEUS_MULTIPROC_DIR`` was set before its start.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from headcount.multiprocess import MULTIPROCESS_DIRECTORY, join

if MULTIPROCESS_DIRECTORY in os.environ:
    join(Path(os.environ[MULTIPROCESS_DIRECTORY]))

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


def seconds(name: str, documentation: str, registry: CollectorRegistry) -> Histogram:
    """A histogram of how long something takes, from 1 ms to a minute."""
    return Histogram(name, documentation, registry=registry, buckets=_SECONDS)


def of_shard(name: str, documentation: str, registry: CollectorRegistry) -> Gauge:
    """A gauge per shard: where two processes have had the shard, the one that wrote last is right."""
    return Gauge(name, documentation, ["shard"], registry=registry, multiprocess_mode="livemostrecent")


class Snapshot(Collector):
    """Gauges that change all at once, and have no value before the first time.

    ``declared``: by name, documentation and label (empty: it has none).
    """

    def __init__(self, declared: Mapping[str, tuple[str, str]], registry: CollectorRegistry) -> None:
        self._declared = declared
        self._families = self._made({})
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """As last shown."""
        return self._families

    def show(self, values: Mapping[str, Mapping[str, float] | float]) -> None:
        """Show these values and no others: of a gauge with a label, by the label's value."""
        self._families = self._made(values)

    def _made(self, values: Mapping[str, Mapping[str, float] | float]) -> list[GaugeMetricFamily]:
        families = []
        for name, (documentation, label) in self._declared.items():
            family = GaugeMetricFamily(name, documentation, labels=[label] if label else [])
            shown = values.get(name, {})
            for labelled, value in shown.items() if isinstance(shown, Mapping) else [("", shown)]:
                family.add_metric([labelled] if label else [], value)
            families.append(family)
        return families
