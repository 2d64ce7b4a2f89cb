"""What a supervisor sees of its worker processes: the metrics that they write into files."""

from __future__ import annotations

import time
from pathlib import Path

from headcount.metrics import children_registry, forget_dead_children

_LAST_BATCH = "headcount_last_batch_timestamp_seconds"
_CHECKPOINTS = "headcount_checkpoints_total"


class Children:
    """The worker processes of one daemon, by the files in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)
        self.alive = 0
        self.last_batch: dict[str, float] = {}
        self.totals: dict[tuple[str, str], float] = {}

    def look(self, *, all_are_dead: bool = False) -> None:
        """Read the files; takes some ms per child. ``all_are_dead``: their daemon was killed, and they with it."""
        self.alive = forget_dead_children(self._directory, all_are_dead=all_are_dead)
        last_batch: dict[str, float] = {}
        totals: dict[tuple[str, str], float] = {}
        for family in children_registry(self._directory).collect():
            for sample in family.samples:
                if sample.name == _LAST_BATCH:
                    last_batch[sample.labels["shard"]] = sample.value
                elif sample.name.endswith("_total"):
                    label = next(iter(sample.labels.values()), "")
                    totals[sample.name, label] = totals.get((sample.name, label), 0) + sample.value
        self.last_batch, self.totals = last_batch, totals

    def checkpoints(self) -> float:
        """How many checkpoints all of them have made, the dead ones included."""
        return sum(value for (name, _), value in self.totals.items() if name == _CHECKPOINTS)

    def stuck(self, seconds: float) -> list[str]:
        """Shards of live children that finished no batch for so long; empty reads count as batches."""
        now = time.time()
        return sorted(shard for shard, at in self.last_batch.items() if now - at > seconds)
