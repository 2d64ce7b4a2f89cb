"""The daemon's sign of life: a file that the JVM touches once a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FROZEN_SECONDS = 5.0  # between two looks: we did not run ourselves, so the daemon may not have either


class Heartbeat:
    """Is looked at several times a second. Ages are by the monotonic clock: the file's times are by one that jumps."""

    def __init__(self, file: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.file, self._monotonic = file, monotonic
        self.begin()

    def begin(self) -> None:
        """A daemon is about to be started."""
        self.file.write_bytes(b"")
        self._stamp = self.file.stat().st_mtime_ns
        self._changed_at = self._looked_at = self._monotonic()
        self.has_begun = self.has_started = False  # the JVM, the KCL in it

    def look(self) -> None:
        """See whether it was touched."""
        now = self._monotonic()
        try:
            status = self.file.stat()
        except FileNotFoundError:  # somebody cleaned up: the silence that follows has the daemon started anew
            return
        if status.st_mtime_ns != self._stamp:
            self._stamp, self._changed_at, self.has_begun = status.st_mtime_ns, now, True
            self.has_started = self.has_started or status.st_size > 0
        elif now - self._looked_at > FROZEN_SECONDS:
            self._changed_at += now - self._looked_at
        self._looked_at = now

    @property
    def silence(self) -> float:
        """Seconds since it was touched, or since the daemon was started."""
        return self._monotonic() - self._changed_at

    @property
    def at(self) -> float:
        """When it was touched, or when the daemon was started, in s since the epoch."""
        return self._stamp / 1e9
