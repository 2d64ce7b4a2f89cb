"""A letter's bytes in a file: they may be personal data, so nobody but its owner reads it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NOBODY_ELSE = 0o600


def write_for_nobody_else(path: Path, raw: bytes) -> None:
    """Write ``raw`` into a file, new or there, that only its owner may read; raises `OSError` with its name.

    What is no regular file, such as a pipe, keeps its rights.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, _NOBODY_ELSE), "wb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                os.fchmod(file.fileno(), _NOBODY_ELSE)  # a file that was there has the mode that it had
                file.truncate()
            file.write(raw)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
