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
EXIT_CLAIM_LOST = 75

TICK_SECONDS = 0.2
LOOK_SECONDS = 2.0
GOOD_AFTER_SECONDS = 15.0  # a daemon that ran so long has started well: its end is no series
LEAST_BACKOFF, MOST_BACKOFF = 0.2, 30.0  # seconds
MOST_FAILURES = 12  # in a row: about two minutes; whoever runs us shall see that it does not work

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


class Supervisor:
    """Runs the daemon of one service."""

    def __init__(self, service: Service, settings: Settings, aws: Aws, stop: Stop) -> None:
        self._service, self._settings, self._aws, self._stop = service, settings, aws, stop
        self._warnings: list[str] = []
        self._registry = CollectorRegistry()
        self._metrics = SupervisorMetrics(self._registry)
        BuildMetrics(self._registry).tell(service.name)
        self._daemon: Daemon | None = None
        self._claim: Claim | None = None
        self._children: Children | None = None
        self._ticked_at = time.monotonic()
        self._looked_at = float("-inf")

    def run(self) -> int:
        """Supervise until the stop is asked for; returns the service's exit code.

        Raises `UnavailableError` and `ClaimRefusedError` before anything was started.
        """
        worker_id = self._settings.worker_id or f"{socket.gethostname()}-{secrets.token_hex(6)}"
        with tempfile.TemporaryDirectory(prefix=f"headcount-{self._service.name}-") as temporary:
            directory = Path(temporary)
            self._children = Children(directory / "metrics")
            serve(
                self._settings.metrics_host,
                self._settings.metrics_port,
                lambda: exposition(self._registry, children_registry(directory / "metrics")),
                self._healthy,
                self._ready,
            )
            self._prepare(worker_id)
            logs = LogRelay(directory / "log", self._settings.log_format)
            try:
                return self._keep_running(self._config(worker_id), directory, logs)
            finally:
                if self._claim is not None:
                    self._claim.release()

    def _prepare(self, worker_id: str) -> None:
        try:
            if self._settings.worker_id is not None:
                key = f"claim/{self._service.application}/{worker_id}"
                claim = Claim(self._aws.heartbeat_dynamodb, self._settings.progress_table, key)
                claim.take()
                self._claim = claim
            pin_client_version(self._aws.dynamodb, self._service.application, by=worker_id)
        except (ClientError, BotoCoreError, WaiterError) as error:
            raise explained(error, f"DynamoDB tables of the KCL application {self._service.application}") from error

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

    def _keep_running(self, config: DaemonConfig, directory: Path, logs: LogRelay) -> int:
        failures = 0
        while not self._stop.is_asked():
            started = time.monotonic()
            self._metrics.starts.inc()
            self._daemon = daemon = Daemon(config, directory, logs, self._settings.start_timeout_seconds)
            _log.info("daemon started", pid=daemon.pid, worker_id=config.worker_id, application=config.application)
            code = self._watch(daemon)
            self._daemon = None
            if code is None:
                return EXIT_CLAIM_LOST
            if self._stop.is_asked():
                _log.info("stopped", exit_code=code, meaning=MEANINGS.get(code, "killed"))
                return code
            self._metrics.exits.labels(code=str(code)).inc()
            failures = 1 if time.monotonic() - started > GOOD_AFTER_SECONDS else failures + 1
            pause = min(MOST_BACKOFF, LEAST_BACKOFF * 2 ** (failures - 1))
            meaning = MEANINGS.get(code, "killed")
            _log.error("daemon ended", exit_code=code, meaning=meaning, failures=failures, restart_in_seconds=pause)
            if code == BAD_CONFIGURATION or failures == MOST_FAILURES:
                return code if code > 0 else EXIT_DAEMON_FAILS
            self._wait(pause)
        return DRAINED

    def _watch(self, daemon: Daemon) -> int | None:
        """The daemon's exit code once it has ended, by itself or because it should; None: the claim is lost."""
        children = self._children
        while (code := daemon.exit_code()) is None:
            if not self._tick():
                _log.error(
                    "another process may hold this worker id: stopping at once", worker_id=self._settings.worker_id
                )
                daemon.kill()
                return None
            if self._stop.is_asked():
                return self._drain(daemon)
            if children is not None and (stuck := children.stuck(self._settings.stall_seconds)):
                _log.error("workers are stuck: ending the daemon", shards=stuck, seconds=self._settings.stall_seconds)
                daemon.kill()
            self._stop.wait(TICK_SECONDS)
        daemon.kill()  # what is left of its group: a stuck child outlives it
        if children is not None:
            children.look()
        return code

    def _drain(self, daemon: Daemon) -> int:
        _log.info("draining")
        return daemon.drain()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._tick():
            if self._stop.wait(TICK_SECONDS):
                return

    def _tick(self) -> bool:
        """Renew what must be renewed and look at the children now and then; False: the claim is lost."""
        self._ticked_at = now = time.monotonic()
        if self._children is not None and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._children.look()
            self._metrics.children.set(self._children.alive)
            self._warn(self._service.warnings(self._children))
        return self._claim is None or self._claim.beat()

    def _warn(self, warnings: list[str]) -> None:
        for warning in set(warnings) - set(self._warnings):
            _log.warning("readiness", warning=warning)
        self._warnings = warnings
        self._metrics.warnings.set(len(warnings))

    def _healthy(self) -> Health:
        """The loop moves, and no live worker is stuck."""
        silent = time.monotonic() - self._ticked_at
        problems = [] if silent < self._settings.stall_seconds else [f"the supervisor has not moved for {silent:.0f} s"]
        stuck = self._children.stuck(self._settings.stall_seconds) if self._children else []
        return Health(problems + [f"worker of {shard} has finished no batch" for shard in stuck])

    def _ready(self) -> Health:
        """The daemon runs and holds a lease."""
        if self._daemon is None:
            return Health(["the KCL daemon is not running"], self._warnings)
        if self._children is None or not self._children.alive:
            return Health(["no shard is leased yet"], self._warnings)
        return Health(self._healthy().problems, self._warnings)
