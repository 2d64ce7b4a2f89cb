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


@contextmanager
def _on_a_leash() -> Iterator[tuple[subprocess.Popen[bytes], psutil.Process]]:
    command = leashed(sys.executable, "-c", "import time; time.sleep(60)")
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as leash:
        deadline = time.monotonic() + 20
        while not (children := psutil.Process(leash.pid).children()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield leash, children[0]


def test_the_command_ends_with_the_holder_of_the_pipe() -> None:
    with _on_a_leash() as (leash, command):
        assert leash.stdin is not None
        leash.stdin.close()
        psutil.wait_procs([command], timeout=10)
        assert not command.is_running()


def test_a_hangup_of_the_terminal_reaches_neither() -> None:
    with _on_a_leash() as (leash, command):
        os.kill(leash.pid, signal.SIGHUP)
        os.kill(leash.pid, signal.SIGINT)
        time.sleep(0.3)
        assert leash.poll() is None
        assert command.is_running()
        leash.terminate()
        assert leash.wait(10) != 0
        assert not command.is_running()
