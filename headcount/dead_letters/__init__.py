"""Dead letters: records that can't be read, kept to the byte with shard, sequence number and reason.

A letter is keyed by stream, shard and position, so that a replay writes it once. A store that fails raises: the shard
then stops, it never skips (rule 4). ``letter.py`` says what a store can do; a person's commands are in ``commands.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount.dead_letters.directory import DeadLetterDirectory, verify_directory
from headcount.dead_letters.letter import DeadLetter, DeadLetters
from headcount.dead_letters.table import DeadLetterTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.settings import Settings

__all__ = ["DeadLetter", "DeadLetterDirectory", "DeadLetterTable", "DeadLetters", "dead_letters", "verify_directory"]


def dead_letters(settings: Settings, client: DynamoDBClient) -> DeadLetters:
    """The store that the settings name."""
    if settings.dead_letter_directory is not None:
        return DeadLetterDirectory(settings.dead_letter_directory)
    return DeadLetterTable(client, settings.dead_letter_table, settings.dead_letter_retention_seconds)
