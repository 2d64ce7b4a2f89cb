"""A command on a leash."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from headcount.demo.leash import leashed
from tests.integration.waiting import eventually, patience

SECONDS = 30


@contextmanager
def _on_a_leash() -> Iterator[tuple[subprocess.Popen[bytes], psutil.Process]]:
    command = leashed(sys.executable, "-c", "import time; time.sleep(1000)")
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as leash:
        [started] = eventually(psutil.Process(leash.pid).children, SECONDS, "the command")
        yield leash, started


def test_the_command_ends_with_the_holder_of_the_pipe() -> None:
    with _on_a_leash() as (leash, command):
        assert leash.stdin is not None
        leash.stdin.close()
        psutil.wait_procs([command], timeout=patience(SECONDS))
        assert not command.is_running()


def test_a_hangup_of_the_terminal_reaches_neither() -> None:
    with _on_a_leash() as (leash, command):
        os.kill(leash.pid, signal.SIGHUP)
        os.kill(leash.pid, signal.SIGINT)
        time.sleep(0.3)
        assert leash.poll() is None
        assert command.is_running()
        leash.terminate()
        assert leash.wait(patience(SECONDS)) != 0
        assert not command.is_running()
