"""Dead letters: records that can't be read, kept to the byte with shard, sequence number and reason.

A letter is keyed by stream, shard and position, so that a replay writes it once. A store that fails raises: the shard
then stops, it never skips (rule 4).
"""

from __future__ import annotations

import base64
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import orjson

from headcount.aws import UnavailableError
from headcount.tables import number, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.settings import Settings

_PART_BYTES = 350_000  # an item may have 400 kB, a record 1 MB (10 MB where that is enabled)
_KEPT_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that can't be read. ``arrived_at``: ms; ``detail`` is for a person and holds nothing of a player."""

    stream: str
    shard: str
    position: str
    sequence_number: str
    arrived_at: int
    reason: str
    detail: str
    raw: bytes

    @property
    def key(self) -> str:
        """``stream/shard/position``."""
        return f"{self.stream}/{self.shard}/{self.position}"


class DeadLetters(Protocol):
    """Where dead letters go; every implementation passes ``tests/contract/test_dead_letters.py``."""

    def put(self, letter: DeadLetter) -> None:
        """Keep the letter durably, or raise. Putting the same one again changes nothing."""


class DeadLetterTable:
    """Letters as rows of a DynamoDB table; a long record takes several parts."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, letter: DeadLetter) -> None:
        """Write all parts; raises botocore's errors once its retries are used up."""
        starts = range(0, max(1, len(letter.raw)), _PART_BYTES)
        for part, start in enumerate(starts):
            self._client.put_item(
                TableName=self._name,
                Item={
                    "record": text(letter.key),
                    "part": text(f"{part:04}"),
                    "parts": number(len(starts)),
                    "shard": text(letter.shard),
                    "sequenceNumber": text(letter.sequence_number),
                    "arrivedAt": number(letter.arrived_at),
                    "reason": text(letter.reason),
                    "detail": text(letter.detail),
                    "raw": {"B": letter.raw[start : start + _PART_BYTES]},
                    "expiresAt": number(int(time.time()) + _KEPT_SECONDS),
                },
            )


class DeadLetterDirectory:
    """Letters as JSON files in a local directory: for the demo and for a look by hand."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, letter: DeadLetter) -> None:
        """Write one file, whole or not at all; raises `OSError`."""
        self._directory.mkdir(parents=True, exist_ok=True)
        content = {
            "stream": letter.stream,
            "shard": letter.shard,
            "sequenceNumber": letter.sequence_number,
            "arrivedAt": letter.arrived_at,
            "reason": letter.reason,
            "detail": letter.detail,
            "raw": base64.b64encode(letter.raw).decode(),
        }
        path = self._directory / (letter.key.replace("/", "_") + ".json")
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        with unfinished.open("wb") as file:
            file.write(orjson.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


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


def dead_letters(settings: Settings, client: DynamoDBClient) -> DeadLetters:
    """The store that the settings name."""
    if settings.dead_letter_directory is not None:
        return DeadLetterDirectory(settings.dead_letter_directory)
    return DeadLetterTable(client, settings.dead_letter_table)
