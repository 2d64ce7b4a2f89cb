"""Waits for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

PAUSE_SECONDS = 0.05

T = TypeVar("T")


def eventually(check: Callable[[], T | None], seconds: float, what: str) -> T:
    """What ``check`` returns as soon as that is true; fails, saying ``what`` was waited for, after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain for: {what}; at last it was {found!r}")
        time.sleep(PAUSE_SECONDS)
    return found
