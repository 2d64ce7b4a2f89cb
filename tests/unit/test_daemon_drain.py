"""A drain that the daemon does not end by itself."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from headcount.kcl import daemon as module
from headcount.kcl.daemon import DRAINED, NOT_DRAINED, Daemon

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


@pytest.fixture
def deaf() -> Iterator[Daemon]:
    """A daemon that takes no notice of SIGTERM."""
    with subprocess.Popen(
        [sys.executable, "-c", DEAF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        daemon = Daemon.__new__(Daemon)
        daemon._process = process
        yield daemon
        daemon.kill()


def test_a_daemon_without_workers_has_nothing_left_to_drain(deaf: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORKERLESS_SECONDS", 0.3)

    assert deaf.drain(lambda: False) == DRAINED
    assert deaf.exit_code() is not None


def test_a_daemon_with_workers_is_given_the_whole_grace_period(deaf: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORKERLESS_SECONDS", 0.3)
    monkeypatch.setattr(module, "SHUTDOWN_GRACE_SECONDS", -4)

    assert deaf.drain(lambda: True) == NOT_DRAINED
    assert deaf.exit_code() is not None
