"""Tells which shards stand still because of too much poison, from what their workers counted before they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.poison_limit import Broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.poison_limit import PoisonLimit


@dataclass(frozen=True, slots=True)
class _Stop:
    broken: Broken
    checkpoints: float


class PoisonWatch:
    """Is shown the workers' counters now and then. A shard stands until its next checkpoint."""

    def __init__(self, limit: PoisonLimit) -> None:
        self._limit = limit
        self._seen: dict[tuple[str, str], float] = {}
        self._stopped: dict[str, _Stop] = {}

    def observe(self, stops: Mapping[tuple[str, str], float], checkpoints: Mapping[str, float]) -> list[str]:
        """Take in stops by shard and limit, and checkpoints by shard; returns problems for `/readyz`."""
        for (shard, limit), value in stops.items():
            if value > self._seen.get((shard, limit), 0):
                self._stopped[shard] = _Stop(Broken(limit), checkpoints.get(shard, 0))
        self._seen = dict(stops)
        self._stopped = {
            shard: stop for shard, stop in self._stopped.items() if checkpoints.get(shard, 0) <= stop.checkpoints
        }
        return [f"{shard} is stopped: {self._limit.told(stop.broken)}" for shard, stop in sorted(self._stopped.items())]
