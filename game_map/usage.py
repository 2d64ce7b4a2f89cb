"""What the services say that they spend: events and write units over the last minutes and the last hour (pure)."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from game_map.board import MINUTE
from headcount.model import Outcome
from headcount.rules import latest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headcount.model import Progress

SAMPLE_SECONDS = 10.0
WINDOW_SECONDS = 300.0  # tallies move in steps, as held-back renewals are written: less would jump
HOUR = 3600.0
SERVICES = CONSUMER, LEVEL_AGGREGATOR, PRUNER, GAME_MAP = ("consumer", "level_aggregator", "pruner", "game_map")
EVENTS, LEVEL_EVENTS = "events", "level events"
_OF_LEVELS = {str(outcome) for outcome in (Outcome.APPLIED, Outcome.STALE, Outcome.LATE)}


@dataclass(frozen=True, slots=True)
class Rates:
    """A second, over ``seconds`` up to ``at`` (epoch s); ``units``: write units by service."""

    at: float
    seconds: float
    events: float
    level_events: float
    units: Mapping[str, float]

    def per_event(self, *services: str) -> float | None:
        """Write units of these services; None: there were no events."""
        return sum(self.units[service] for service in services) / self.events if self.events else None


@dataclass(frozen=True, slots=True)
class ShardLag:
    """Of a shard: up to when (ms; None: it has not said) all that arrived is worked off, and when its row moved."""

    service: str
    shard: str
    seen_at: int | None
    updated_at: int


@dataclass(frozen=True, slots=True)
class Usage:
    """As of ``now.at``, measured since ``since`` (epoch s); ``minutes``: of the last hour, whole ones, oldest first."""

    since: float
    now: Rates
    minutes: tuple[Rates, ...]
    shards: tuple[ShardLag, ...]


class Meter:
    """Adds up how far the rows moved from look to look; ``own``: write units of this process.

    Rows come and go with their shards, so their differences are summed up. Of a row that is new only what follows
    counts: it may be an old one that was not looked at. `newest` may be read from any thread.
    """

    def __init__(self, own: Callable[[], float]) -> None:
        self._own = own
        self._seen: dict[str, int] = {}
        self._sums: Counter[str] = Counter()
        self._samples: deque[tuple[float, Counter[str]]] = deque()
        self.newest: Usage | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is time to look."""
        return not self._samples or abs(now - self._samples[-1][0]) >= SAMPLE_SECONDS

    def look(self, now: float, rows: Mapping[str, Progress], pruners: int) -> None:
        """Take rows by worker, ``<service>/<stream>@<created>/<shard>``, and the pruners' units; ``now``: epoch s."""
        for worker, row in rows.items():
            service = worker.partition("/")[0]
            self._add(service, worker, row.units)
            if service == CONSUMER:
                self._add(EVENTS, f"{worker} events", sum(row.tallies.values()))
                of_levels = sum(count for outcome, count in row.tallies.items() if outcome in _OF_LEVELS)
                self._add(LEVEL_EVENTS, f"{worker} level events", of_levels)
        self._add(PRUNER, PRUNER, pruners)
        self._add(GAME_MAP, GAME_MAP, int(self._own()))
        if self._samples and now <= self._samples[-1][0]:
            self._samples.clear()  # the clock was set back
        self._samples.append((now, self._sums.copy()))
        while now - self._samples[0][0] > HOUR + SAMPLE_SECONDS:
            self._samples.popleft()
        rates = self._since(now - WINDOW_SECONDS)
        if rates is not None:
            shards = tuple(_lag(worker, row) for worker, row in sorted(rows.items()))
            self.newest = Usage(self._samples[0][0], rates, tuple(self._minutes()), shards)

    def _add(self, what: str, of: str, total: int) -> None:
        before = self._seen.get(of, total)
        self._sums[what] += max(0, total - before)
        self._seen[of] = max(total, before)

    def _since(self, begin: float) -> Rates | None:
        """From the first sample that is not older; None: there is but one."""
        first = next(sample for sample in self._samples if sample[0] >= begin)
        return _between(first, self._samples[-1]) if first[0] < self._samples[-1][0] else None

    def _minutes(self) -> list[Rates]:
        last: dict[float, tuple[float, Counter[str]]] = {}
        for sample in self._samples:
            last[sample[0] // MINUTE] = sample  # the last one of each minute
        last.popitem()  # which is not over
        return [_between(one, other) for one, other in pairwise(last.values())]


def _between(one: tuple[float, Counter[str]], other: tuple[float, Counter[str]]) -> Rates:
    seconds = other[0] - one[0]
    rates = {what: (other[1][what] - one[1][what]) / seconds for what in (EVENTS, LEVEL_EVENTS, *SERVICES)}
    return Rates(other[0], seconds, rates.pop(EVENTS), rates.pop(LEVEL_EVENTS), rates)


def _lag(worker: str, row: Progress) -> ShardLag:
    service, _, shard = worker.partition("/")
    return ShardLag(service, shard.rpartition("/")[2], latest(row.seen_at, row.arrived_at), row.updated_at)
