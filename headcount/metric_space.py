"""Files of metrics whose space is taken before it is written to by mmap.

prometheus-client makes its files sparse. Where the disk is full, the kernel kills who then writes to one (SIGBUS), and
nobody learns why. A plain write fails with an error that can be told.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

LEAST_BYTES = 1 << 16
ENTRY_BYTES = 28  # of a value beside its key, at most


class ReservedDict(MmapedDict):
    """An `MmapedDict` that raises `OSError` where there is no space for it."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            reserve(Path(filename), LEAST_BYTES)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call] # it has no types

    def _init_value(self, key: str) -> None:
        size = self._capacity
        while self._used + len(key.encode()) + ENTRY_BYTES > size:
            size *= 2
        reserve(Path(self._fname), size)
        super()._init_value(key)  # type: ignore[no-untyped-call] # likewise


def reserve(file: Path, size: int) -> None:
    """Make the file at least ``size`` bytes long, all of them on the disk, or raise `OSError`."""
    with file.open("ab") as end:
        had = end.tell()
    if had >= size:
        return
    try:
        with file.open("ab") as end:
            end.write(bytes(size - had))
    except OSError as error:
        with suppress(OSError):
            os.truncate(file, had)
        what = f"{error.strerror}, which the metrics of this process need: free some, or set TMPDIR to another disk"
        raise OSError(error.errno, what, str(file)) from error
