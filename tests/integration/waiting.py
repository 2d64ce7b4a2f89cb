"""Waits for a condition, never for a time."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

import psutil

from tests.lanes import NICER

PAUSE_SECONDS = 0.05
PATIENCE = 4  # what gives way gets a tenth of a busy processor

T = TypeVar("T")


def patience(seconds: float) -> float:
    """How long to wait for what takes ``seconds`` at most where nothing else runs, in a process that may give way."""
    return seconds * (PATIENCE if os.nice(0) >= NICER else 1)


def eventually(check: Callable[[], T | None], seconds: float, what: str) -> T:
    """What ``check`` returns as soon as that is true; fails, saying ``what`` was waited for, after ``seconds``.

    The time is meant for what has the machine to itself; see `patience`.
    """
    seconds = patience(seconds)
    deadline = time.monotonic() + seconds
    while True:
        # First: whoever stood still for so long, in the check or between two of them, looks once more.
        is_late = time.monotonic() > deadline
        if found := check():
            return found
        if is_late:
            raise AssertionError(
                f"waited {seconds:.0f} s in vain for: {what}; at last it was {found!r} (the machine: {_machine()})"
            )
        time.sleep(PAUSE_SECONDS)


def _machine() -> str:
    """How busy it is, and with what: a wait in vain is often another's fault."""
    processes = list(psutil.process_iter(["name", "cmdline", "nice"]))
    before = {process: _worked(process) for process in processes}
    time.sleep(1)
    busiest = sorted(processes, key=lambda process: before[process] - _worked(process))[:5]
    told = [
        f"{100 * (_worked(process) - before[process]):.0f} % {_command(process)} (nice {process.info['nice']})"
        for process in busiest
    ]
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()}; " + ", ".join(told)


def _worked(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _command(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or [process.info["name"]])[-80:]
