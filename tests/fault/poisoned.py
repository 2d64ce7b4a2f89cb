"""The demo's players, with records between their events that can't be read; and the truth, told of both."""

from collections import Counter
from dataclasses import dataclass
from random import Random

from headcount.demo.truth import Truth
from headcount.demo.tsv import Event, Kind
from headcount.demo.world import World
from tests.integration.events import poisons

MOST_BYTES = 10_000  # the longest records are for other tests: here they would only take time


@dataclass(frozen=True, slots=True)
class Poison(Event):
    """A record that can't be read. Its kind says only that it places nobody."""


class PoisonedWorld(World):
    """Replaces a share of the records by poison; as seeded as the rest."""

    def __init__(self, players: int, levels: int, seed: int, idle_timeout_seconds: float, *, poison: float) -> None:
        super().__init__(players, levels, seed, idle_timeout_seconds, allowed_lateness_seconds=5)
        self._chance, self._poison = Random(seed), poison

    def tick(self, now_ms: int, records: int) -> list[Event]:
        """See `World.tick`."""
        return [self._spoilt(event) for event in super().tick(now_ms, records)]

    def _spoilt(self, event: Event) -> Event:
        if self._chance.random() >= self._poison:
            return event
        lines = [line for _, line in poisons(event.at) if 0 < len(line) < MOST_BYTES]
        line, key = self._chance.choice(lines), event.partition_key
        return Poison(None, None, event.at, Kind.NO_CONTEXT, line, key, event.app_id, event.delay_ms)


class PoisonedTruth(Truth):
    """Knows the poison, too: each record of it must have its letter, to the byte."""

    def __init__(self, idle_timeout_seconds: float, allowed_lateness_seconds: float) -> None:
        super().__init__(idle_timeout_seconds, allowed_lateness_seconds)
        self.poison: Counter[bytes] = Counter()

    def record(self, event: Event) -> None:
        """See `Truth.record`."""
        super().record(event)
        if isinstance(event, Poison):
            self.poison[event.line] += 1
