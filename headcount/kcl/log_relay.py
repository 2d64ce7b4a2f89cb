"""Brings the log lines of the daemon and of its children to this process' stderr, in this process' format."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson
import structlog

from headcount.settings import LogFormat

if TYPE_CHECKING:
    from pathlib import Path


class LogRelay:
    """A named pipe that children write whole lines to, and the thread that passes them on."""

    def __init__(self, path: Path, log_format: LogFormat) -> None:
        self.path = path
        os.mkfifo(path, 0o600)
        # Opened for both, so that it never comes to an end while writers come and go.
        self.descriptor = os.open(path, os.O_RDWR)
        self._console = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and sys.stderr.isatty())
        self._render = structlog.dev.ConsoleRenderer()
        threading.Thread(target=self._relay, name="log-relay", daemon=True).start()

    def _relay(self) -> None:
        with os.fdopen(os.dup(self.descriptor), "rb") as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip("\n")
                # A line that can't be written (a full disk) is lost: who writes to the pipe must never have to wait.
                with suppress(OSError):
                    sys.stderr.write((self._for_console(text) if self._console else text) + "\n")
                    sys.stderr.flush()

    def _for_console(self, line: str) -> str:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            return line
        if not isinstance(event, dict):
            return line
        if "message" in event and "event" not in event:  # the daemon's own lines, from logback
            event["event"] = event.pop("message")
        return str(self._render(None, "", event))
