"""What the emulators have in common: a local server in a process of its own."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from headcount.demo.leash import leashed

START_TIMEOUT: Final = 60.0
_LOG_LINES_SHOWN: Final = 15


class EmulatorError(RuntimeError):
    """The server did not start; the message shows what it said last."""


class Emulator:
    """A server on a free loopback port while the context lasts. Its data and its log die with it."""

    name: str = "emulator"
    health_path: str = "/"

    def __init__(self) -> None:
        self.port = _free_port()
        self.endpoint_url = f"http://127.0.0.1:{self.port}"
        self._folder = TemporaryDirectory(prefix=f"{type(self).__name__}-")
        self.directory = Path(self._folder.name)
        self.log = self.directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str | Path]:
        """The program and its arguments."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str] | None:
        """Its environment; None for ours."""
        return None

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            EmulatorError: It ended, or did not answer in time.
        """
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours
                leashed(*self.command()),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,  # what a terminal sends to the group of the demo is for the demo alone
            )
        try:
            self._wait_until_it_answers(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(self.endpoint_url + self.health_path):
            if process.poll() is not None:
                raise EmulatorError(self._failure(f"ended with exit code {process.returncode}"))
            if time.monotonic() > deadline:
                raise EmulatorError(self._failure(f"did not answer on port {self.port} in {START_TIMEOUT:.0f} s"))
            time.sleep(0.05)

    def _failure(self, what: str) -> str:
        last = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        return "\n".join([f"{self.name} {what}; its log ends so:", *last])

    def _stop(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()  # the leash kills it: nothing in it is worth the second a clean stop takes
            self._process.wait()
        self._folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own loopback address
            return True
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return True  # DynamoDB Local wants signed requests, and says so
    except OSError:
        return False
