"""The first signal asks for the stop, the second kills: real signals to a real process."""

import signal
import subprocess
import sys

import pytest

from tests.integration.waiting import patience

# Says "ready", "draining" when asked to stop, and after the drain "done"; {drain} is what draining does.
PROGRAM = """
import time
from headcount.lifecycle import Stop
stop = Stop()
stop.listen()
print("ready", flush=True)
while not stop.wait(60):
    pass
print("draining", flush=True)
{drain}
print("done", flush=True)
"""
SIGNALS = [signal.SIGTERM, signal.SIGINT]
SECONDS = 30  # it takes a fraction of one where the machine is quiet


def start(drain: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM.format(drain=drain)], stdout=subprocess.PIPE, text=True)
    assert said(process) == "ready"
    return process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_drains(number: signal.Signals) -> None:
    with start("time.sleep(0.1)") as process:
        process.send_signal(number)

        assert said(process) == "draining"
        assert said(process) == "done"
        assert process.wait(patience(SECONDS)) == 0


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_the_second_signal_kills(first: signal.Signals, second: signal.Signals) -> None:
    with start("time.sleep(1000)") as process:
        process.send_signal(first)
        assert said(process) == "draining"

        process.send_signal(second)

        assert process.wait(patience(SECONDS)) == 128 + second
        assert said(process) == ""
