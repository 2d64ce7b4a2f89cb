"""Keeps one KCL daemon running: starts it, watches it, restarts it with back-off, drains it on a signal."""

from __future__ import annotations

import secrets
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from prometheus_client import CollectorRegistry

from headcount.aws import Aws, explained
from headcount.endpoints import Health, serve
from headcount.kcl.children import Children
from headcount.kcl.claim import Claim
from headcount.kcl.client_version import pin_client_version
from headcount.kcl.daemon import BAD_CONFIGURATION, DRAINED, MEANINGS, Daemon
from headcount.kcl.log_relay import LogRelay
from headcount.kcl.properties import DaemonConfig
from headcount.metrics import BuildMetrics, SupervisorMetrics, children_registry, exposition

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.lifecycle import Stop
    from headcount.settings import Settings

EXIT_DAEMON_FAILS = 70
EXIT_NOT_DRAINED = 75  # or the claim on the worker id was lost

TICK_SECONDS = 0.2
LOOK_SECONDS = 2.0
GOOD_AFTER_START_SECONDS = 600.0
LEAST_BACKOFF, MOST_BACKOFF = 0.2, 30.0  # seconds
MOST_FAILURES = 12  # in a row, none with a checkpoint: whoever runs us shall see that it does not work

_log = structlog.get_logger()


@dataclass(frozen=True)
class Service:
    """A KCL service; ``stream``: a Kinesis stream's name or a DynamoDB stream's ARN, ``identity``: ``name@created``."""

    name: str
    application: str
    stream: str
    identity: str
    worker_module: str
    initial_position: str
    warnings: Callable[[Children], list[str]] = lambda _: []  # what only the service can tell, for `/readyz`


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
        self._children = Children(directory / "metrics")
        self._daemon: Daemon | None = None
        self._claim: Claim | None = None
        self._warnings: list[str] = []
        self._ticked_at = time.monotonic()
        self._looked_at = float("-inf")

    def run(self) -> int:
        """See `supervise`."""
        worker_id = self._settings.worker_id or f"{socket.gethostname()}-{secrets.token_hex(6)}"
        serve(
            self._settings.metrics_host,
            self._settings.metrics_port,
            lambda: exposition(self._registry, children_registry(self._directory / "metrics")),
            self._healthy,
            self._ready,
        )
        logs = LogRelay(self._directory / "log", self._settings.log_format)
        try:
            self._prepare(worker_id)
            return self._keep_running(self._config(worker_id), logs)
        finally:
            if self._claim is not None:
                self._claim.release()

    def _prepare(self, worker_id: str) -> None:
        try:
            if self._settings.worker_id is not None:
                key = f"claim/{self._service.application}/{worker_id}"
                claim = Claim(self._aws.heartbeat_dynamodb, self._settings.progress_table, key)
                claim.take()
                claim.keep(self._on_claim_lost)
                self._claim = claim
            pin_client_version(self._aws.dynamodb, self._service.application, by=worker_id)
        except (ClientError, BotoCoreError, WaiterError) as error:
            raise explained(error, f"DynamoDB tables of the KCL application {self._service.application}") from error

    def _on_claim_lost(self) -> None:
        """Called from the heartbeat's thread: whatever the main thread does, the daemon must be gone."""
        _log.error("another process may hold this worker id: stopping at once", worker_id=self._settings.worker_id)
        if self._daemon is not None:
            self._daemon.kill()

    def _claim_is_lost(self) -> bool:
        return self._claim is not None and self._claim.is_lost()

    def _config(self, worker_id: str) -> DaemonConfig:
        streams = self._aws.streams if self._service.stream.startswith("arn:") else self._aws.kinesis
        return DaemonConfig(
            stream=self._service.stream,
            application=self._service.application,
            worker_id=worker_id,
            command=(Path(sys.executable).name, "-m", self._service.worker_module, self._service.identity),
            region=self._aws.region_name,
            kinesis_endpoint=streams.meta.endpoint_url,
            dynamodb_endpoint=self._aws.dynamodb.meta.endpoint_url,
            initial_position=self._service.initial_position,
            failover_seconds=self._settings.failover_seconds,
            poll_milliseconds=self._settings.poll_milliseconds,
            stall_seconds=self._settings.stall_seconds,
        )

    def _keep_running(self, config: DaemonConfig, logs: LogRelay) -> int:
        failures, good_after = 0, self._settings.start_timeout_seconds + GOOD_AFTER_START_SECONDS
        while not self._stop.is_asked():
            if self._claim_is_lost():
                return EXIT_NOT_DRAINED
            checkpoints, started = self._children.checkpoints(), time.monotonic()
            self._metrics.starts.inc()
            self._daemon = Daemon(config, self._directory, logs, self._settings.start_timeout_seconds)
            _log.info("daemon started", pid=self._daemon.pid, worker_id=config.worker_id, stream=config.stream)
            code = self._watch(self._daemon)
            self._daemon = None
            meaning = MEANINGS.get(code, "killed")
            if self._stop.is_asked():
                _log.info("stopped", exit_code=code, meaning=meaning)
                return code if code >= 0 else EXIT_NOT_DRAINED
            self._metrics.exits.labels(code=str(code)).inc()
            # What has made a checkpoint works; an idle stream asks for none, so a long life shows the same.
            works = self._children.checkpoints() > checkpoints or time.monotonic() - started > good_after
            failures = 1 if works else failures + 1
            pause = min(MOST_BACKOFF, LEAST_BACKOFF * 2 ** (failures - 1))
            _log.error("daemon ended", exit_code=code, meaning=meaning, failures=failures, restart_in_seconds=pause)
            if code == BAD_CONFIGURATION or failures == MOST_FAILURES:
                return code if code > 0 else EXIT_DAEMON_FAILS
            self._wait(pause)
        return DRAINED

    def _watch(self, daemon: Daemon) -> int:
        """The daemon's exit code once it has ended: by itself, because it was asked to, or because it had to."""
        while (code := daemon.exit_code()) is None:
            self._tick()
            if self._claim_is_lost():
                daemon.kill()
            elif self._stop.is_asked():
                _log.info("draining")
                return daemon.drain(self._has_workers)
            elif stuck := self._children.stuck(self._settings.stall_seconds):
                _log.error("workers are stuck: ending the daemon", shards=stuck, seconds=self._settings.stall_seconds)
                daemon.kill()
            self._stop.wait(TICK_SECONDS)
        daemon.kill()  # what is left of its group: a stuck child outlives it
        self._children.look(all_are_dead=True)
        return code

    def _has_workers(self) -> bool:
        self._children.look()
        return self._children.alive > 0

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._claim_is_lost() and not self._stop.wait(TICK_SECONDS):
            self._tick()

    def _tick(self) -> None:
        """Show that the loop moves, and look at the children now and then."""
        self._ticked_at = now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        self._children.look()
        self._metrics.children.set(self._children.alive)
        warnings = self._service.warnings(self._children)
        for warning in set(warnings) - set(self._warnings):
            _log.warning("readiness", warning=warning)
        self._warnings = warnings
        self._metrics.warnings.set(len(warnings))

    def _healthy(self) -> Health:
        """The loop moves, and no live worker is stuck."""
        seconds = self._settings.stall_seconds
        still = time.monotonic() - self._ticked_at
        problems = [] if still < seconds else [f"the supervisor has not moved for {still:.0f} s"]
        return Health(problems + [f"worker of {shard} is stuck" for shard in self._children.stuck(seconds)])

    def _ready(self) -> Health:
        """The daemon runs and holds a lease."""
        if self._daemon is None:
            return Health(["the KCL daemon is not running"], self._warnings)
        if not self._children.alive:
            return Health(["no shard is leased yet"], self._warnings)
        return Health(self._healthy().problems, self._warnings)
