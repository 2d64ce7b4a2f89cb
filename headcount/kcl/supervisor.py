"""Keeps one KCL daemon running: starts it, watches it, restarts it with back-off, drains it on a signal."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from prometheus_client import CollectorRegistry

from headcount.aws import explained
from headcount.companion import Companion
from headcount.endpoints import serve
from headcount.exposition import exposition
from headcount.kcl.children import Children
from headcount.kcl.claim import Claim
from headcount.kcl.client_version import pin_client_version
from headcount.kcl.daemon import BAD_CONFIGURATION, DRAINED, HEARTBEAT, MEANINGS, Daemon
from headcount.kcl.heartbeat import Heartbeat
from headcount.kcl.lease_watch import LeaseWatch
from headcount.kcl.leases import LeaseBook
from headcount.kcl.log_relay import LogRelay
from headcount.kcl.readiness import Readiness
from headcount.kcl.worker_id import worker_id
from headcount.process_metrics import BuildMetrics, SupervisorMetrics

if TYPE_CHECKING:
    from headcount.aws import Aws
    from headcount.kcl.properties import DaemonConfig
    from headcount.kcl.service import Service
    from headcount.lifecycle import Stop
    from headcount.settings import Settings

EXIT_DAEMON_FAILS = 70
EXIT_NOT_DRAINED = 75  # or the claim on the worker id was lost

TICK_SECONDS = 0.2
LOOK_SECONDS = 2.0
GOOD_AFTER_START_SECONDS = 600.0
LEAST_BACKOFF, MOST_BACKOFF = 0.2, 30.0  # seconds
KILLED_SECONDS = 5.0  # until killed processes are gone
MOST_FAILURES = 12  # in a row, none with a checkpoint: whoever runs us shall see that it does not work

_log = structlog.get_logger()


def supervise(service: Service, settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run the service until the stop is asked for; returns its exit code.

    Raises `UnavailableError` and `ClaimRefusedError` before anything was started.
    """
    with tempfile.TemporaryDirectory(prefix=f"headcount-{service.name}-") as directory:
        return Supervisor(service, settings, aws, stop, Path(directory)).run()


class Supervisor:
    """Runs the daemon of one service; ``directory`` is its own."""

    def __init__(self, service: Service, settings: Settings, aws: Aws, stop: Stop, directory: Path) -> None:
        self._service, self._settings, self._aws, self._stop = service, settings, aws, stop
        self._directory = directory
        self._registry = CollectorRegistry()
        self._metrics = SupervisorMetrics(self._registry)
        BuildMetrics(self._registry).tell(service.name)
        self._worker_id = worker_id(settings.worker_id)
        self._children = Children(directory / "metrics")
        heartbeat = Heartbeat(directory / HEARTBEAT)
        self._metrics.heartbeat.set_function(lambda: heartbeat.at)
        book = LeaseBook(self._worker_id.name, settings.failover_seconds)
        watch = LeaseWatch(aws.heartbeat_dynamodb, service.application, service.tables, book, self._metrics)
        self._companions = (Companion("lease-watch", watch.turn), *service.companions)
        self._readiness = Readiness(settings, self._children, heartbeat, watch, obstacle=service.gate.obstacle)
        self._daemon: Daemon | None = None
        self._claim: Claim | None = None
        self._looked_at = float("-inf")
        self._was_shut = False

    def run(self) -> int:
        """See `supervise`."""
        registries = [self._registry, self._aws.metrics.registry, self._children.registry]
        registries += [companion.registry for companion in self._companions]
        serve(
            self._settings.metrics_host,
            self._settings.metrics_port,
            lambda: exposition(*registries),
            self._readiness.healthy,
            self._readiness.ready,
        )
        logs = LogRelay(self._directory / "log", self._settings.log_format)
        try:
            self._prepare()
            for companion in self._companions:
                companion.start()
            config = self._service.daemon(self._settings, self._aws, self._worker_id.name)
            return self._keep_running(config, logs)
        finally:
            if self._claim is not None:
                self._claim.release()

    def _prepare(self) -> None:
        try:
            if self._worker_id.exclusive:
                key = f"claim/{self._service.application}/{self._worker_id.name}"
                claim = Claim(self._aws.heartbeat_dynamodb, self._settings.progress_table, key)
                claim.take()
                claim.keep(self._on_claim_lost)
                self._claim = claim
            pin_client_version(self._aws.dynamodb, self._service.application, by=self._worker_id.name)
        except (ClientError, BotoCoreError, WaiterError) as error:
            raise explained(error, f"DynamoDB tables of the KCL application {self._service.application}") from error

    def _on_claim_lost(self) -> None:
        """Called from the heartbeat's thread: whatever the main thread does, the daemon must be gone."""
        _log.error("another process may hold this worker id: stopping at once", worker_id=self._worker_id.name)
        if self._daemon is not None:
            self._daemon.kill()

    def _claim_is_lost(self) -> bool:
        return self._claim is not None and self._claim.is_lost()

    def _keep_running(self, config: DaemonConfig, logs: LogRelay) -> int:
        failures, good_after = 0, self._settings.start_timeout_seconds + GOOD_AFTER_START_SECONDS
        while not self._stop.is_asked():
            if self._claim_is_lost():
                return EXIT_NOT_DRAINED
            if self._service.gate.obstacle():
                self._wait(TICK_SECONDS)
                continue
            checkpoints, started = self._children.checkpoints(), time.monotonic()
            self._metrics.starts.inc()
            self._readiness.daemon_starts()
            self._daemon = Daemon(config, self._directory, logs, self._settings.start_timeout_seconds)
            _log.info("daemon started", pid=self._daemon.pid, worker_id=config.worker_id, stream=config.stream)
            code = self._watch(self._daemon)
            self._readiness.daemon_ended()
            self._daemon = None
            self._children.wait_for_their_end(KILLED_SECONDS)
            meaning = MEANINGS.get(code, "killed: by whom, or for want of memory, the kernel's log says")
            if self._stop.is_asked():
                _log.info("stopped", exit_code=code, meaning=meaning)
                return code if code >= 0 else EXIT_NOT_DRAINED
            self._metrics.exits.labels(code=str(code)).inc()
            # What has made a checkpoint works; an idle stream asks for none, so a long life shows the same.
            works = self._children.checkpoints() > checkpoints or time.monotonic() - started > good_after
            failures = 0 if self._was_shut else 1 if works else failures + 1
            pause = min(MOST_BACKOFF, LEAST_BACKOFF * 2 ** max(0, failures - 1))
            _log.error("daemon ended", exit_code=code, meaning=meaning, failures=failures, restart_in_seconds=pause)
            if code == BAD_CONFIGURATION or failures == MOST_FAILURES:
                return code if code > 0 else EXIT_DAEMON_FAILS
            self._wait(pause)
            self._service.gate.doubt()  # now: what was looked up before the pause may be old
        return DRAINED

    def _watch(self, daemon: Daemon) -> int:
        """The daemon's exit code once it has ended: by itself, because it was asked to, or because it had to."""
        self._was_shut = False
        while (code := daemon.exit_code()) is None:
            self._tick()
            if self._claim_is_lost():
                daemon.kill()
            elif self._stop.is_asked():
                _log.info("draining")
                self._readiness.stopping()
                return daemon.drain(self._has_workers)
            elif overdue := self._readiness.overdue():
                _log.error("ending the daemon", reason=overdue, seconds=self._settings.stall_seconds)
                daemon.kill()
            elif obstacle := self._service.gate.obstacle():
                _log.error("ending the daemon", reason=obstacle)
                self._was_shut = True  # no failure of the daemon's
                daemon.kill()
            self._stop.wait(TICK_SECONDS)
        daemon.kill()  # what is left of its group: a stuck child outlives it
        return code

    def _has_workers(self) -> bool:
        self._readiness.tick()
        self._children.look()
        return self._children.alive > 0

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._claim_is_lost() and not self._stop.wait(TICK_SECONDS):
            self._tick()

    def _tick(self) -> None:
        """Show that the loop moves, and look at the children now and then."""
        self._readiness.tick()
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        self._children.look()
        self._metrics.children.set(self._children.alive)
        warnings = self._service.warnings(self._children)
        for warning in set(warnings) - set(self._readiness.warnings):
            _log.warning("readiness", warning=warning)
        self._readiness.warnings = warnings
        problems = self._service.problems(self._children)
        for problem in set(problems) - set(self._readiness.problems):
            _log.error("readiness", problem=problem)
        self._readiness.problems = problems
        self._metrics.warnings.set(len(warnings))
