"""Work that a service does over and over beside its main loop, in a thread that never holds the process up."""

from __future__ import annotations

import contextvars
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_BACKOFF, MOST_BACKOFF = 5.0, 600.0  # seconds

_log = structlog.get_logger()


@dataclass(frozen=True)
class Companion:
    """``turn`` does the work once and returns the seconds until the next time; ``registry``: the metrics it feeds.

    What it raises is logged, and it is tried again with back-off.
    """

    name: str
    turn: Callable[[], float]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    first_after_seconds: float = 0.0
    sleep: Callable[[float], None] = time.sleep

    def start(self) -> None:
        """Begin; it ends with the process."""
        context = contextvars.copy_context()  # what log lines carry
        threading.Thread(target=context.run, args=(self._run,), name=self.name, daemon=True).start()

    def _run(self) -> None:
        pause, failures = self.first_after_seconds, 0
        while True:
            self.sleep(pause)
            try:
                pause, failures = self.turn(), 0
            except Exception as error:  # noqa: BLE001 (whatever it is, the service's own work goes on without it)
                pause = min(MOST_BACKOFF, LEAST_BACKOFF * 2**failures)
                failures += 1
                reason = " ".join(str(error).split())
                _log.warning("companion failed", companion=self.name, reason=reason, again_in_seconds=pause)
