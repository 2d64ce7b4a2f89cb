"""Dead letters as JSON files in a local directory: for the demo, and for a look by hand."""

from __future__ import annotations

import base64
import os
import stat
import tempfile
from typing import TYPE_CHECKING, Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from headcount.aws import UnavailableError
from headcount.dead_letters.letter import MOST_NUMBER, DeadLetter, Ending, Heading, Kept, refuse, split
from headcount.tables import MalformedRowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from headcount.dead_letters.letter import Selection


class _Content(BaseModel):
    """What a file says, checked: other people's files may lie beside ours."""

    model_config = ConfigDict(strict=True, frozen=True)

    stream: str
    shard: str
    position: str | None = None
    sequence_number: Annotated[str, Field(alias="sequenceNumber")]
    arrived_at: Annotated[int, Field(alias="arrivedAt", ge=0, le=MOST_NUMBER)]
    reason: str
    detail: str
    raw: str

    @field_validator("raw")
    @classmethod
    def _is_base64(cls, raw: str) -> str:
        base64.b64decode(raw, validate=True)
        return raw

    def letter(self, position: str) -> DeadLetter:
        """The letter; ``position``: where the file does not tell it."""
        return DeadLetter(
            stream=self.stream,
            shard=self.shard,
            position=self.position or position,
            sequence_number=self.sequence_number,
            arrived_at=self.arrived_at,
            reason=self.reason,
            detail=self.detail,
            raw=base64.b64decode(self.raw),
        )


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

    def headings(
        self, selection: Selection, unreadable: Callable[[MalformedRowError], object] = refuse
    ) -> Iterator[Heading]:
        """See `DeadLetters`; reads all files, one at a time, but for those of other endings."""
        if not self._directory.is_dir():
            return
        for path in self._directory.iterdir():
            if path.suffix != ".json":
                continue
            try:
                letter = _read(path)
            except MalformedRowError as error:
                unreadable(error)
                continue
            if letter is None:
                continue
            heading = Heading(letter.key, letter.arrived_at, letter.reason, letter.detail, len(letter.raw))
            if selection.holds(heading):
                yield heading

    def get(self, key: str) -> Kept | None:
        """See `DeadLetters`."""
        letter = _read(self._path(key))
        return Kept(letter) if letter is not None and letter.key == key else None

    def delete(self, key: str, why: Ending = Ending.DELETED) -> bool:
        """See `DeadLetters`."""
        del why  # it is gone in one step
        if self.get(key) is None:
            return False
        self._path(key).unlink(missing_ok=True)
        return True

    def _path(self, key: str) -> Path:
        return self._directory / _name(key)


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
        if not stat.S_ISREG(path.stat().st_mode):  # whoever opens a pipe waits for its writer
            raise _odd(path, "it is no file")
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _odd(path, f"it can't be read: {error.strerror}") from error
    try:
        # Files of the first days do not tell the position.
        letter = _Content.model_validate_json(content).letter(path.stem.rpartition("_")[2])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _odd(path, ": ".join([*map(str, first["loc"]), first["msg"]])) from error
    if split(letter.key) != (letter.stream, letter.shard, letter.position) or _name(letter.key) != path.name:
        raise _odd(path, "its name is not that of the letter in it")
    return letter


def _odd(path: Path, why: str) -> MalformedRowError:
    return MalformedRowError(f"{path} is no dead letter as Headcount writes it ({why}). Move it out of the directory.")


def _name(key: str) -> str:
    return key.replace("/", "_") + ".json"
