"""When a supervisor is healthy (else it should be restarted) and ready (else it does not do its work now)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from headcount.endpoints import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.kcl.children import Children
    from headcount.kcl.heartbeat import Heartbeat
    from headcount.kcl.lease_watch import LeaseWatch
    from headcount.settings import Settings

LEAST_SILENCE, LEAST_BATCH = 10.0, 30.0  # seconds
LEAST_BATCH_WHERE_PUSHED = 60.0  # nor does the KCL give a silent subscription up sooner
FAILOVERS = 3


class Readiness:
    """Is told what happens to the daemon, and shown parts that know the rest. Safe to ask from any thread."""

    def __init__(
        self,
        settings: Settings,
        children: Children,
        heartbeat: Heartbeat,
        watch: LeaseWatch,
        monotonic: Callable[[], float] = time.monotonic,
        obstacle: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._obstacle = obstacle
        self._children, self._heartbeat, self._watch, self._monotonic = children, heartbeat, watch, monotonic
        failovers = FAILOVERS * settings.failover_seconds
        self._stall, self._start = settings.stall_seconds, settings.start_timeout_seconds
        self._most_silence = min(max(LEAST_SILENCE, failovers), self._stall)
        least = LEAST_BATCH_WHERE_PUSHED if settings.enhanced_fan_out else LEAST_BATCH
        self._most_batch = min(max(least, failovers), self._stall)
        self._runs = self._stopping = False
        self._ticked_at = monotonic()
        self._occupied_at = float("-inf")
        self.warnings: list[str] = []  # of the service
        self.problems: list[str] = []  # likewise

    def daemon_starts(self) -> None:
        """A new daemon: what the last one had does not count."""
        self._heartbeat.begin()
        self._occupied_at = float("-inf")
        self._runs = True

    def daemon_ended(self) -> None:
        """There is none now."""
        self._runs = False

    def stopping(self) -> None:
        """The service drains and ends."""
        self._stopping = True

    def tick(self) -> None:
        """The supervisor's loop moves."""
        self._ticked_at = self._monotonic()
        self._heartbeat.look()
        if self._runs and self._is_occupied():
            self._occupied_at = self._ticked_at

    def overdue(self) -> str | None:
        """Why the daemon must be ended and started anew, if it must."""
        if stuck := self._children.stuck(self._stall):
            return f"workers are stuck: {', '.join(stuck)}"
        silence = self._heartbeat.silence
        if silence > self._stall + (0 if self._heartbeat.has_begun else self._start):
            return f"the KCL daemon gave no sign of life for {silence:.0f} s"
        return None

    def healthy(self) -> Health:
        """The loop moves; no live worker is stuck; the daemon gives signs of life."""
        still = self._monotonic() - self._ticked_at
        problems = [] if still < self._stall else [f"the supervisor has not moved for {still:.0f} s"]
        if self._runs and (overdue := self.overdue()):
            problems.append(overdue)
        return Health(problems)

    def ready(self) -> Health:
        """The daemon runs, its workers work, DynamoDB answers, no lease stands still, and we have one or are spare."""
        problems = [*self.healthy().problems, *self._watch.problems(), *self.problems]
        if self._stopping:
            problems.append("the service is stopping")
        if obstacle := self._obstacle():
            problems.append(obstacle)
        elif not self._runs:
            problems.append("the KCL daemon is not running")
        else:
            problems += self._daemon_problems()
        warnings = list(self.warnings)
        if not problems and self._is_spare():
            warnings.append(f"spare: other processes hold every lease ({self._watch.leases.others})")
        return Health(problems, warnings)

    def _daemon_problems(self) -> list[str]:
        problems = []
        if not self._heartbeat.has_started:
            problems.append("the KCL daemon is starting")
        if self._heartbeat.silence > self._most_silence:
            problems.append(f"the KCL daemon has given no sign of life for {self._heartbeat.silence:.0f} s")
        slow = self._children.stuck(self._most_batch)
        problems += [f"the worker of {shard} has finished no batch for {self._most_batch:.0f} s" for shard in slow]
        problems += [f"nobody renews the lease of {key}" for key in self._watch.leases.still]
        # A shard that ends, and a lease taken over, leave us without a worker for some seconds.
        if self._monotonic() - self._occupied_at > self._most_batch:
            problems.append("no worker has begun yet" if self._watch.leases.mine else "no shard is leased yet")
        return problems

    def _is_occupied(self) -> bool:
        leases = self._watch.leases
        return self._heartbeat.has_started and (
            (leases.mine > 0 and bool(self._children.last_batch)) or self._is_spare()
        )

    def _is_spare(self) -> bool:
        leases = self._watch.leases
        return leases.others > 0 and leases.mine == 0 and not leases.stalled and leases.all_moved
