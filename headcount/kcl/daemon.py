"""The KCL daemon as a process: a JVM that holds leases and starts a worker process per shard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from headcount.kcl.java.runtime import classpath, java, warning_free
from headcount.kcl.properties import SHUTDOWN_GRACE_SECONDS, DaemonConfig, as_file, properties
from headcount.kcl.worker import LOG_PIPE
from headcount.multiprocess import MULTIPROCESS_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.kcl.log_relay import LogRelay

# Exit codes of the entry point (headcount/kcl/java/KclDaemon.java).
DRAINED, BAD_CONFIGURATION, UNREACHABLE, PROCESSOR_FAILED, NOT_DRAINED = 0, 64, 69, 70, 75
OUT_OF_MEMORY = 3  # -XX:+ExitOnOutOfMemoryError
FAILED = 1  # how the KCL halts the JVM when a worker process stays silent, and Java when the entry point throws
MEANINGS = {
    DRAINED: "drained",
    BAD_CONFIGURATION: "bad configuration",
    UNREACHABLE: "stream or lease table not reached in time",
    PROCESSOR_FAILED: "a worker process failed",
    NOT_DRAINED: "not drained in time",
    FAILED: "a worker process gave no answer in time, or the daemon could not start: its log lines say which",
    OUT_OF_MEMORY: "the JVM's heap is too small",
}

# A SIGTERM that came before the entry point had its own handler: nothing was begun, so nothing is left to drain.
_ENDED_WHILE_STARTING = (-signal.SIGTERM, 128 + signal.SIGTERM)

HEARTBEAT = "heartbeat"  # file that the daemon touches every second; it must be there before

WORKERLESS_SECONDS = 10.0  # a drained daemon ends ~2 s after its workers

_MAIN = "software.amazon.kinesis.multilang.config.KclDaemon"
_JVM = ("-Xmx256m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")


class Daemon:
    """A started daemon. It ends with this process: its stdin is a pipe that we hold, and it halts when that closes."""

    def __init__(self, config: DaemonConfig, directory: Path, logs: LogRelay, start_timeout_seconds: int) -> None:
        """Start it; ``directory`` takes its properties file, its children's metrics and its sign of life."""
        metrics = directory / "metrics"
        metrics.mkdir(exist_ok=True)
        file = directory / "kcl.properties"
        file.write_text(as_file(properties(config)), encoding="utf-8")
        command = [
            str(java()),
            *_JVM,
            *warning_free(java()),
            "-DhaltOnStdinEof=true",
            f"-DstartTimeoutSeconds={start_timeout_seconds}",
            f"-DheartbeatFile={directory / HEARTBEAT}",
            "-cp",
            classpath(),
            _MAIN,
            str(file),
        ]
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            command,
            stdin=subprocess.PIPE,
            stdout=logs.descriptor,
            stderr=logs.descriptor,
            start_new_session=True,  # a Ctrl-C is ours to pass on, and the group is killed as one
            env={
                **os.environ,
                # The worker's command names no path: the KCL would split one at its spaces.
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
                MULTIPROCESS_DIRECTORY: str(metrics),
                LOG_PIPE: str(logs.path),
            },
        )

    @property
    def pid(self) -> int:
        """Process id of the JVM."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """How it ended (a negative signal number if killed); None while it runs."""
        return self._process.poll()

    def drain(self, has_workers: Callable[[], bool]) -> int:
        """Ask it to drain, wait, and kill what is left after the grace period; returns the exit code.

        Once its workers have ended for a while nothing is left to drain: the KCL may wait on for a lease that was lost
        while it drained.
        """
        self._process.send_signal(signal.SIGTERM)
        now = time.monotonic()
        deadline, idle_since = now + SHUTDOWN_GRACE_SECONDS + 5, now
        while (code := self._process.poll()) is None and now < deadline:
            time.sleep(0.2)
            now = time.monotonic()
            if has_workers():
                idle_since = now
            elif now - idle_since > WORKERLESS_SECONDS:
                code = DRAINED
                break
        self.kill()
        if code is None:
            return NOT_DRAINED
        return DRAINED if code in _ENDED_WHILE_STARTING else code

    def kill(self) -> None:
        """End the daemon and its children now."""
        with suppress(ProcessLookupError, PermissionError):  # the group is gone
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
