"""Watches a running system from outside: its tables and its metrics."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from headcount.explain import tally

if TYPE_CHECKING:
    from collections import Counter

    from headcount.demo.fleet import Fleet
    from headcount.model import Cutoff, LevelCount, Progress, Transition
    from headcount.tables.counts import CountTables
    from headcount.tables.players import PlayerTable
    from headcount.tables.progress import ProgressTable

Samples = dict[tuple[str, str], float]


class Totals:
    """Counters over restarts of the process that serves them: what each life counted, added up."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], float] = {}
        self._last: Samples = {}

    def update(self, samples: Samples) -> None:
        """Take in a scrape."""
        for key, value in samples.items():
            last = self._last.get(key, 0.0)
            if value < last:
                self._before[key] = self._before.get(key, 0.0) + last
        self._last.update(samples)

    def sum(self, name: str) -> float:
        """All samples of that name, over all lives seen."""
        lives = (self._before, self._last)
        return sum(value for life in lives for (sample, _), value in life.items() if sample == name)

    def quantile(self, name: str, share: float) -> float | None:
        """Upper bound of the histogram's bucket that holds the quantile; None without observations."""
        buckets: dict[float, float] = {}
        for life in (self._before, self._last):
            for (sample, labels), value in life.items():
                if sample == f"{name}_bucket":
                    bound = float(labels.rpartition("le=")[2])
                    buckets[bound] = buckets.get(bound, 0.0) + value
        total = buckets.get(float("inf"), 0.0)
        return next((bound for bound in sorted(buckets) if total and buckets[bound] >= share * total), None)


@dataclass
class TableWatch:
    """Looks at the tables again and again; keeps what a verdict needs over the whole run."""

    players: PlayerTable
    counts: CountTables
    progress: ProgressTable
    identity: str
    levels: dict[str, LevelCount] = field(default_factory=dict)
    shards: dict[str, Progress] = field(default_factory=dict)
    every_progress: dict[str, Progress] = field(default_factory=dict)
    cutoff: Cutoff | None = None
    changed_at: list[float] = field(default_factory=list)
    went_backwards: list[str] = field(default_factory=list)
    negative: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Read LevelState and all progress; note when counts changed, and what must never happen (I2, I6)."""
        levels = self.counts.levels()
        if levels != self.levels:
            self.changed_at.append(time.monotonic())
            self.levels = levels
        self.negative += [level for level, row in levels.items() if row.players < 0]
        rows = self.progress.read_all("")
        rows = {name: row for name, row in rows.items() if name.startswith(("consumer/", "level_aggregator/"))}
        for name, row in rows.items():
            self._compare(name, self.every_progress.get(name), row)
        self.every_progress.update(rows)
        self.shards = {name: row for name, row in rows.items() if name.startswith(f"consumer/{self.identity}/")}
        cutoff = self.progress.cutoff()
        if self.cutoff and (cutoff.cutoff or 0) < (self.cutoff.cutoff or 0):
            self.went_backwards.append("pruner/cutoff")
        self.cutoff = cutoff

    def transitions(self) -> list[tuple[Transition, int]]:
        """All of Transitions."""
        return list(self.counts.transitions())

    def tallies(self) -> Counter[str]:
        """Records by outcome, over all shards."""
        return tally(self.progress, self.identity)

    def is_pruned(self, patience_ms: int) -> bool:
        """By the last look: every shard has come to the stream's time, and a pass at its cutoff went through.

        ``patience_ms``: idle timeout and allowed lateness.
        """
        cutoff = self.cutoff
        if cutoff is None or cutoff.stream_time is None:
            return False
        marks = [row.watermark for row in self.shards.values() if not row.ended]
        due = cutoff.stream_time - patience_ms
        return all(mark == cutoff.stream_time for mark in marks) and cutoff.cutoff == cutoff.completed == due

    def is_counted(self) -> bool:
        """LevelState, by the last look, is what PlayerState says."""
        recount: dict[str, int] = {}
        for _, row in self.players.all():
            recount[row.level] = recount.get(row.level, 0) + 1
        return recount == {level: row.players for level, row in self.levels.items() if row.players}

    def _compare(self, name: str, was: Progress | None, now: Progress) -> None:
        if was is None:
            return
        if was.position and (now.position is None or now.position < was.position):
            self.went_backwards.append(name)
        if was.watermark is not None and (now.watermark is None or now.watermark < was.watermark):
            self.went_backwards.append(name)


@dataclass(kw_only=True)
class Observer(TableWatch):
    """Scrapes the services, too."""

    fleet: Fleet
    totals: Totals = field(default_factory=Totals)
    ready: dict[str, bool] = field(default_factory=dict)

    def scrape(self) -> None:
        """Read every service's metrics and readiness; a service that does not answer is not ready."""
        for running in self.fleet.services():
            base = f"http://127.0.0.1:{running.port}"
            self.ready[running.name] = _status(f"{base}/readyz") == 200  # noqa: PLR2004 (HTTP's OK)
            text = _text(f"{base}/metrics")
            if text is not None:
                self.totals.update(_samples(running.name, text))


def _samples(service: str, text: str) -> Samples:
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                labels = ",".join(f"{label}={value}" for label, value in sorted(sample.labels.items()))
                samples[sample.name, f"{service} {labels}"] = sample.value
    return samples


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own loopback address)
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code
    except OSError:
        return 0


def _text(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own loopback address)
            return str(answer.read().decode())
    except OSError:
        return None
