"""A service as a real process with its real KCL daemon and workers, seen from outside."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

from headcount.demo.leash import leashed
from tests.integration.waiting import eventually, patience

DAEMON = "KclDaemon"  # of its command line
START_SECONDS = 60.0
DRAIN_SECONDS = 75.0
GONE_SECONDS = 2.0
ANSWER_SECONDS = 20.0  # of an endpoint, whose thread may stand behind others
LAST_LINES = 60
FIRST_PROCESS = Path(__file__).with_name("first_process.py")
Metrics = dict[tuple[str, str], float]


class Service:
    """``python -m <name>`` as in a container, on a leash: it can't outlive the tests. Appends to its ``log``."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self.port = free_port()
        self._seen: set[psutil.Process] = set()
        with log.open("ab") as out:
            self._leash = subprocess.Popen(
                leashed(sys.executable, FIRST_PROCESS, "-m", name),
                env={**environment, "HEADCOUNT_METRICS_PORT": str(self.port)},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.supervisor = eventually(self._begun, START_SECONDS, f"process of {name}")

    def _begun(self) -> psutil.Process | None:
        """The service's process; one that has ended before anybody looked is as good as its leash."""
        leash = psutil.Process(self._leash.pid)
        return next(iter(leash.children()), None) or (leash if self._leash.poll() is not None else None)

    def daemon(self) -> psutil.Process | None:
        """The JVM, if there is one now."""
        with suppress(psutil.NoSuchProcess):
            for child in filter(is_alive, self.supervisor.children()):
                if DAEMON in " ".join(child.cmdline()):
                    self._seen.add(child)
                    return child
        return None

    def workers(self) -> list[psutil.Process]:
        """The worker processes, one per leased shard."""
        daemon = self.daemon()
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            children = daemon.children() if daemon else []
            found = [child for child in children if f"{self.name}.worker" in child.cmdline()]
        self._seen.update(found)
        return found

    def wait_for_workers(self, count: int, seconds: float = START_SECONDS) -> list[psutil.Process]:
        """The workers, as soon as there are ``count`` and `/readyz` says so."""

        def there() -> list[psutil.Process]:
            workers = self.workers()
            return workers if len(workers) == count and self.get("/readyz")[0] == http.client.OK else []

        return eventually(there, seconds, f"{count} workers of {self.name}")

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Until `/readyz` says so."""
        eventually(lambda: self.get("/readyz")[0] == http.client.OK, seconds, f"{self.name} to be ready")

    def family(self) -> list[psutil.Process]:
        """All its processes: supervisor, daemon, workers."""
        daemon = self.daemon()
        return [self.supervisor, *([daemon] if daemon else []), *self.workers()]

    def drain(self) -> int:
        """SIGTERM, and the exit code."""
        self.workers()
        with suppress(psutil.NoSuchProcess):
            self.supervisor.terminate()
        return self.wait()

    def wait(self) -> int:
        """The exit code, once it has ended. Raises AssertionError, with what it said last, if it does not."""
        seconds = patience(DRAIN_SECONDS)
        try:
            return self._leash.wait(seconds)
        except subprocess.TimeoutExpired:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-LAST_LINES:])
            there = [" ".join(one.cmdline()[:4]) for one in self.family() if is_alive(one)]
            raise AssertionError(f"{self.name} did not end within {seconds:.0f} s: {there}\n{last}") from None

    def exit_code(self) -> int | None:
        """Of the supervisor; None while it runs."""
        return self._leash.poll()

    def end(self) -> None:
        """End it and whatever is left of it, now."""
        with suppress(psutil.NoSuchProcess):
            self._seen.update(self.family())
        if self._leash.stdin is not None:
            self._leash.stdin.close()  # the leash kills the supervisor; daemon and workers follow
        self._leash.wait()
        with suppress(AssertionError):
            eventually(lambda: not any(map(is_alive, self._seen)), GONE_SECONDS, f"the end of {self.name}")
        for process in self._seen:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an endpoint; (0, "") while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):  # or it ended in the middle of an answer
            return 0, ""
        finally:
            connection.close()

    def health(self, path: str) -> dict[str, Any]:
        """The body of `/healthz` or `/readyz`; empty while nobody answers."""
        body: dict[str, Any] = json.loads(self.get(path)[1] or "{}")
        return body

    def metrics(self) -> Metrics:
        """Every sample of `/metrics` by name and labels (``a=1,b=2``)."""
        samples: Metrics = {}
        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for sample in family.samples:
                labels = ",".join(f"{label}={value}" for label, value in sorted(sample.labels.items()))
                samples[sample.name, labels] = sample.value
        return samples

    def log_lines(self, event: str) -> list[dict[str, Any]]:
        """The JSON lines of its log with this ``event``."""
        lines = []
        for line in self.log.read_text(errors="replace").splitlines():
            with suppress(json.JSONDecodeError):
                content = json.loads(line)
                if isinstance(content, dict) and content.get("event") == event:
                    lines.append(content)
        return lines


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; who is dead and not buried is not alive."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """A loopback port that nobody has now, nor is given before it is listened on.

    It stays bound here: Linux lets a server that reuses addresses, as all do, listen on it all the same.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        if sys.platform == "linux":
            probe.detach()  # until this process ends
        return port
