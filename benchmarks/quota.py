"""A share of a core for a process, as a small task has it: by a control group of Linux, where one may be made."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000


class Quota:
    """A control group with a limit; ``directory`` None: there is no limit here."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    @property
    def holds(self) -> bool:
        """Whether there is a limit."""
        return self._directory is not None

    def command(self, *command: str) -> list[str]:
        """The same command, in the group from its first moment on."""
        if self._directory is None:
            return list(command)
        return ["sh", "-c", f'echo $$ > {self._directory}/cgroup.procs && exec "$@"', "sh", *command]

    def throttled(self) -> tuple[int, int]:
        """Periods so far, and those in which the process had to wait."""
        if self._directory is None:
            return 0, 0
        told = dict(line.split() for line in (self._directory / "cpu.stat").read_text().splitlines())
        return int(told["nr_periods"]), int(told["nr_throttled"])


@contextmanager
def quota(cores: float) -> Iterator[Quota]:
    """A group for so many cores, or none where this user may make none. What is in it must end before."""
    made = _made(round(cores * PERIOD_US))
    try:
        yield Quota(made)
    finally:
        if made is not None:
            with suppress(OSError):
                made.rmdir()


def _made(microseconds: int) -> Path | None:
    """Of version 1, and else of version 2."""
    name = f"headcount-bench-{os.getpid()}"
    limits = {
        ROOT / "cpu" / name: {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(microseconds)},
        ROOT / name: {"cpu.max": f"{microseconds} {PERIOD_US}"},
    }
    for directory, files in limits.items():
        with suppress(OSError):
            directory.mkdir()
            try:
                for file, limit in files.items():
                    (directory / file).write_text(limit)
            except OSError:
                directory.rmdir()
                raise
            return directory
    return None
