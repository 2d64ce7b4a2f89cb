"""The services as real processes, restarted when they die, as a container platform would."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from headcount.demo.leash import leashed

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICES = ("consumer", "level_aggregator", "pruner")  # what counts
MAP = "game_map"  # what shows it
MAP_PORT = 8080  # if nobody has it
DRAIN_SECONDS = 75.0


@dataclass
class Running:
    """One service: its process, the port of its metrics, how often it was started, whether it was told to end."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    starts: int = 1
    started_at: float = field(default_factory=time.monotonic)
    drained: bool = False


class Fleet:
    """Starts, restarts, kills and stops the services; their logs go to files in ``directory``."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = dict(environment)
        self._directory = directory
        self._running: dict[str, Running] = {}
        self._seen: dict[int, psutil.Process] = {}
        self._map_port = MAP_PORT

    @property
    def map_address(self) -> str:
        """Where the map is, for a browser."""
        return f"http://127.0.0.1:{self._map_port}/"

    def start(self, *names: str) -> None:
        """Start these services."""
        for name in names:
            port = free_port()
            self._running[name] = Running(name, port, self._spawn(name, port))

    def restart_dead(self) -> list[str]:
        """Start again what has ended; returns the names."""
        restarted = []
        for running in self._running.values():
            if running.process.poll() is not None and not running.drained:
                running.process = self._spawn(running.name, running.port)
                running.starts += 1
                running.started_at = time.monotonic()
                restarted.append(running.name)
        return restarted

    def services(self) -> list[Running]:
        """The services as they run now."""
        return list(self._running.values())

    def processes(self) -> list[tuple[str, psutil.Process]]:
        """Every process of the fleet with what it is: ``consumer``, ``consumer daemon``, ``consumer child``."""
        found: list[tuple[str, psutil.Process]] = []
        for running in self._running.values():
            with suppress(psutil.NoSuchProcess):
                for service in psutil.Process(running.process.pid).children():
                    found.append((running.name, service))
                    for daemon in service.children():
                        found.append((f"{running.name} daemon", daemon))
                        found += [(f"{running.name} child", child) for child in daemon.children()]
        self._seen.update((process.pid, process) for _, process in found)
        return found

    def kill_one(self, rng: random.Random) -> tuple[str, int] | None:
        """SIGKILL a random process of the fleet; returns what it was and its pid."""
        candidates = self.processes()
        if not candidates:
            return None
        what, process = rng.choice(candidates)
        with suppress(psutil.NoSuchProcess):
            process.kill()
            return what, process.pid
        return None

    def drain(self, name: str) -> int:
        """SIGTERM, wait, and the exit code; killed if it does not end in time."""
        running = self._running[name]
        running.drained, process = True, running.process
        self.processes()
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def left_over(self) -> list[int]:
        """Processes of the fleet that outlived it, now killed; must be empty."""
        mine = [process for process in self._seen.values() if process.is_running()]
        _, alive = psutil.wait_procs(mine, timeout=3)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return [process.pid for process in alive]

    def log_tail(self, name: str, lines: int = 5) -> str:
        """The end of a service's log."""
        text = self._log(name).read_text(errors="replace") if self._log(name).exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def kill_all(self) -> None:
        """End everything now, for when there is no time to drain."""
        for _, process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for running in self._running.values():
            running.process.wait()

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def _spawn(self, name: str, port: int) -> subprocess.Popen[bytes]:
        own = {"HEADCOUNT_METRICS_PORT": str(port)}
        if name == MAP:
            self._map_port = free_port(self._map_port)  # the one it had: browsers come back to it
            own |= {"HEADCOUNT_MAP_PORT": str(self._map_port), "HEADCOUNT_MAP_OPS": "true"}
        with self._log(name).open("ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own services)
                leashed(sys.executable, "-m", name),
                env={**self._environment, **own},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the demo, which then drains them in order
            )


def environment(endpoint: str, settings: Mapping[str, str]) -> dict[str, str]:
    """An environment with ``settings`` and no others of Headcount's or AWS's, pointed at an emulator."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HEADCOUNT_", "AWS_"))}
    return inherited | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_EC2_METADATA_DISABLED": "true",
        # MiniStack gives times in CBOR as seconds where the protocol has milliseconds: docs/adr/0002-embedded-aws.md
        "CBOR_ENABLED": "false",
        # A proxy of this machine's has no way to its loopback.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **settings,
    }


def free_port(wanted: int = 0) -> int:
    """The loopback port that is ``wanted`` if nobody has it, else any that is free."""
    with socket.socket() as probe:
        # Whoever had it before may have clients that have not noticed its end.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
