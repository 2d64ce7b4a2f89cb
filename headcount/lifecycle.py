"""How a process ends: the first signal asks it to drain, the second kills it."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_KILLED_BY_SIGNAL = 128


class Stop:
    """Asked for by SIGTERM or SIGINT once `listen` was called; a second signal ends the process at once.

    ``on_kill`` is called then: for what must not be left behind, such as the terminal's state.
    """

    def __init__(self, on_kill: Callable[[], None] = lambda: None) -> None:
        self._asked = threading.Event()
        self._on_kill = on_kill

    def listen(self) -> None:
        """Install the handlers; call from the main thread."""
        for number in _STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def is_asked(self) -> bool:
        """Whether the process shall drain and end."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, at most until the stop is asked for; returns `is_asked`."""
        return self._asked.wait(seconds)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            self._on_kill()
            os._exit(_KILLED_BY_SIGNAL + number)
        self._asked.set()
