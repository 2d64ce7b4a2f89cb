"""A limit on how often something is done."""

import threading
import time
from collections.abc import Callable


class Rate:
    """At most ``per_second`` takes a second, evenly spaced, for all threads together."""

    def __init__(
        self,
        per_second: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / per_second
        self._monotonic, self._sleep = monotonic, sleep
        self._lock = threading.Lock()
        self._next = monotonic()

    def take(self) -> None:
        """Wait for one's turn."""
        with self._lock:
            now = self._monotonic()
            turn = max(self._next, now)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
