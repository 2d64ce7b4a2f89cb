"""Dead letters as JSON files in a local directory: for the demo, and for a look by hand."""

from __future__ import annotations

import base64
import os
import tempfile
from typing import TYPE_CHECKING, Any

import orjson

from headcount.aws import UnavailableError
from headcount.dead_letters.letter import DeadLetter, Heading, Kept, split
from headcount.tables import MalformedRowError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from headcount.dead_letters.letter import Selection


class DeadLetterDirectory:
    """A file per letter; nothing deletes them by itself. Methods raise `OSError`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, letter: DeadLetter) -> None:
        """Write one file, whole or not at all."""
        self._directory.mkdir(parents=True, exist_ok=True)
        content = {
            "stream": letter.stream,
            "shard": letter.shard,
            "position": letter.position,
            "sequenceNumber": letter.sequence_number,
            "arrivedAt": letter.arrived_at,
            "reason": letter.reason,
            "detail": letter.detail,
            "raw": base64.b64encode(letter.raw).decode(),
        }
        path = self._path(letter.key)
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        with unfinished.open("wb") as file:
            file.write(orjson.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    def headings(self, selection: Selection) -> Iterator[Heading]:
        """See `DeadLetters`; reads all files, one at a time."""
        if not self._directory.is_dir():
            return
        for path in self._directory.iterdir():
            if path.suffix != ".json" or (letter := _read(path)) is None:
                continue
            heading = Heading(letter.key, letter.arrived_at, letter.reason, letter.detail, len(letter.raw))
            if selection.holds(heading):
                yield heading

    def get(self, key: str) -> Kept | None:
        """See `DeadLetters`."""
        letter = _read(self._path(key))
        return Kept(letter) if letter is not None and letter.key == key else None

    def delete(self, key: str) -> bool:
        """See `DeadLetters`."""
        if self.get(key) is None:
            return False
        self._path(key).unlink(missing_ok=True)
        return True

    def _path(self, key: str) -> Path:
        return self._directory / (key.replace("/", "_") + ".json")


def verify_directory(directory: Path) -> None:
    """Raise `UnavailableError` unless files can be written to ``directory``, which is made if it is missing."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise UnavailableError(
            f"HEADCOUNT_DEAD_LETTER_DIRECTORY={directory} can't be written to: {error.strerror}."
        ) from error


def _read(path: Path) -> DeadLetter | None:
    """The letter in a file; None where it is gone meanwhile, or was never there."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _letter(path, orjson.loads(content))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedRowError(
            f"{path} is no dead letter as Headcount writes it ({type(error).__name__}). Move it out of the directory."
        ) from error


def _letter(path: Path, content: Any) -> DeadLetter:
    letter = DeadLetter(
        stream=content["stream"],
        shard=content["shard"],
        # Files of the first days do not tell it.
        position=content.get("position") or path.stem.rpartition("_")[2],
        sequence_number=content["sequenceNumber"],
        arrived_at=int(content["arrivedAt"]),
        reason=content["reason"],
        detail=content["detail"],
        raw=base64.b64decode(content["raw"], validate=True),
    )
    split(letter.key)
    return letter
