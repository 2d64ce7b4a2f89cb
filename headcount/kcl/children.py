"""What a supervisor sees of its worker processes: the metrics that they write into files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from headcount.multiprocess import MetricFiles

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

_LAST_BATCH = "headcount_last_batch_timestamp_seconds"
_CHECKPOINTS = "headcount_checkpoints_total"


class Children:
    """The worker processes of one daemon, by the files in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._files = MetricFiles(directory)
        self.alive = 0
        self.last_batch: dict[str, float] = {}
        self.totals: dict[tuple[str, str], float] = {}
        self.counters: dict[str, list[tuple[dict[str, str], float]]] = {}

    @property
    def registry(self) -> CollectorRegistry:
        """Their metrics; counters of the dead included."""
        return self._files.registry

    def look(self) -> None:
        """Read the files; takes some ms per child."""
        self.alive = self._files.bury()
        last_batch: dict[str, float] = {}
        totals: dict[tuple[str, str], float] = {}
        counters: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in self._files.collect():
            for sample in family.samples:
                if sample.name == _LAST_BATCH:
                    last_batch[sample.labels["shard"]] = sample.value
                elif sample.name.endswith("_total"):
                    counters.setdefault(sample.name, []).append((sample.labels, sample.value))
                    label = next(iter(sample.labels.values()), "")
                    totals[sample.name, label] = totals.get((sample.name, label), 0) + sample.value
        self.last_batch, self.totals, self.counters = last_batch, totals, counters

    def wait_for_their_end(self, seconds: float) -> None:
        """Look until those that were just killed are gone, or the time is up."""
        deadline = time.monotonic() + seconds
        self.look()
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.05)
            self.look()

    def checkpoints(self) -> float:
        """How many checkpoints all of them have made, the dead ones included."""
        return sum(value for (name, _), value in self.totals.items() if name == _CHECKPOINTS)

    def stuck(self, seconds: float) -> list[str]:
        """Shards of live children that finished no batch for so long; empty reads count as batches."""
        now = time.time()
        return sorted(shard for shard, at in self.last_batch.items() if now - at > seconds)
