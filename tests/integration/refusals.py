"""Commands that can't work, and how they end."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from tests.integration.waiting import patience

BAD_SETTING, UNAVAILABLE = 2, 69
QUICK_SECONDS = 30.0
UNREACHABLE_SECONDS = 60.0  # botocore tries three times, with pauses


@dataclass(frozen=True)
class Case:
    """A command, the settings that it can't work with (None: unset), and how it ends: one line, a regex."""

    command: str
    settings: Mapping[str, str | None]
    line: str
    code: int = UNAVAILABLE
    seconds: float = QUICK_SECONDS


@dataclass
class Attempt:
    """A case under way: ``python -m <command>``."""

    case: Case
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, case: Case, environment: Mapping[str, str]) -> "Attempt":
        """Start it."""
        variables = {**environment, "HEADCOUNT_METRICS_PORT": "0", **case.settings}
        process = subprocess.Popen(
            [sys.executable, "-m", *case.command.split()],
            env={name: value for name, value in variables.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return cls(case, process)

    def check(self) -> float:
        """Wait for its end, see that it is the right one, and return how long it took by its own log."""
        stdout, stderr = self.process.communicate(timeout=patience(self.case.seconds))
        logged, [line] = _sorted(stderr)
        who = "headcount" if self.case.code == BAD_SETTING else self.case.command.split()[0]
        assert re.fullmatch(f"{who}: {self.case.line}", line), line
        assert self.process.returncode == self.case.code
        assert stdout == ""
        times = [datetime.fromisoformat(entry["timestamp"]) for entry in logged]
        return (times[-1] - times[0]).total_seconds() if times else 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Kill it, if it still runs."""
        with self.process as process:
            process.kill()


def _sorted(text: str) -> tuple[list[dict[str, str]], list[str]]:
    """The log lines, parsed, and the others."""
    logged, plain = [], []
    for line in text.splitlines():
        with suppress(json.JSONDecodeError):
            logged.append(json.loads(line))
            continue
        plain.append(line)
    return logged, plain
