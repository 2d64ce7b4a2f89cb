"""Beside the counting: shows the counts as metrics, and audits them now and then (rule 9; invariants I1, I2, I4)."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry

from headcount.audit import Audit, Difference
from headcount.companion import Companion
from headcount.metrics import AuditMetrics, LevelMetrics
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headcount.aws import Aws
    from headcount.model import LevelCount
    from headcount.settings import Settings

LOOK_SECONDS = 10.0
# Counts of an aggregator that hangs or catches up are off for longer than a live audit takes. A difference is told of
# only if it stands, the same, in so many audits more, each after a minute, or the interval if that is shorter.
CONFIRMATIONS, CONFIRM_AFTER_SECONDS = 2, 60.0
# Transitions hold a week of minutes: to sum them up each time was a quarter of the whole bill.
SUMS_AFTER_SECONDS = 86_400.0
OTHER = "(other)"

_log = structlog.get_logger()


def companions(settings: Settings, aws: Aws) -> tuple[Companion, ...]:
    """What runs beside the level aggregator's daemon."""
    counts = CountTables(
        aws.dynamodb, settings.level_table, settings.transitions_table, settings.transitions_retention_seconds
    )
    registry = CollectorRegistry()
    watch = LevelWatch(counts, LevelMetrics(registry), settings.level_metrics)
    found = [Companion("level-watch", watch.turn, registry)]
    interval = settings.audit_interval_seconds
    registry = CollectorRegistry()
    audits = AuditWatch(
        Audit(PlayerTable(aws.dynamodb, settings.player_table), counts), AuditMetrics(registry), interval
    )
    if interval:
        found.append(Companion("audit", audits.turn, registry, first_after_seconds=interval))
    return tuple(found)


def fullest(levels: Mapping[str, LevelCount], most: int) -> dict[str, int]:
    """Players of the ``most`` fullest levels, and of all others together; the sum is all players (pure)."""
    named = heapq.nsmallest(most, levels, key=lambda level: (-levels[level].players, level))
    found = {level: levels[level].players for level in named}
    found[OTHER] = found.get(OTHER, 0) + sum(count.players for level, count in levels.items() if level not in found)
    return found


class LevelWatch:
    """Shows LevelState; ``most``: so many levels have a series of their own."""

    def __init__(
        self, counts: CountTables, metrics: LevelMetrics, most: int, wall: Callable[[], float] = time.time
    ) -> None:
        self._counts, self._metrics, self._most, self._wall = counts, metrics, most, wall

    def turn(self) -> float:
        """Read it and show it; returns the seconds until the next time. Raises botocore's errors."""
        levels = self._counts.levels()
        self._metrics.state.show(
            {
                LevelMetrics.PLAYERS: fullest(levels, self._most),
                LevelMetrics.LEVELS: sum(1 for count in levels.values() if count.players > 0),
                LevelMetrics.NEGATIVE: sum(1 for count in levels.values() if count.players < 0),
                LevelMetrics.READ_AT: self._wall(),
            }
        )
        return LOOK_SECONDS


class AuditWatch:
    """Runs the live audit every ``interval`` seconds; the first one, and then one a day, also sums up Transitions."""

    def __init__(
        self,
        audit: Audit,
        metrics: AuditMetrics,
        interval: float,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._audit, self._metrics, self._interval = audit, metrics, interval
        self._wall, self._sleep = wall, sleep
        self._summed_at = float("-inf")

    def turn(self) -> float:
        """Audit and tell; returns the seconds until the next time. Raises what kept it from auditing."""
        begun = time.monotonic()
        try:
            found = self._standing()
        except Exception:
            self._metrics.audits.labels(result="failed").inc()
            raise
        self._metrics.last.show({AuditMetrics.DIFFERENCES: len(found), AuditMetrics.AT: self._wall()})
        for difference in found:
            _log.error("audit: difference", difference=str(difference))
        _log.info("audit", differences=len(found), took_ms=round((time.monotonic() - begun) * 1000))
        self._metrics.audits.labels(result="different" if found else "exact").inc()  # by now it is told, too
        return self._interval

    def _standing(self) -> list[Difference]:
        begun = self._wall()
        sums = begun - self._summed_at >= SUMS_AFTER_SECONDS
        found = self._audit.live(sums=sums)
        for _ in range(CONFIRMATIONS):
            if not found:
                break
            self._sleep(min(CONFIRM_AFTER_SECONDS, self._interval))
            again = {difference.standing for difference in self._audit.live(sums=sums)}
            found = [difference for difference in found if difference.standing in again]
        if sums and not found:
            self._summed_at = begun
        return found
