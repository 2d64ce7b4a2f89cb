"""LevelHistory: how many players each level had in each minute, on average."""

from __future__ import annotations

import time
from math import fsum
from typing import TYPE_CHECKING, Any

from headcount.model import Average
from headcount.rules import escaped
from headcount.tables import Item, number, parsed, query, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

TOTAL = "/"  # no level's key: ids are escaped

_MOST_PUTS = 25  # DynamoDB's limit for one BatchWriteItem
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # s, before what was left over is sent again


class ThrottledError(Exception):
    """DynamoDB left items of a batch over, time and again; the message is for a person."""


class HistoryTable:
    """Repository of LevelHistory; a minute is named by its start, epoch s.

    Methods raise botocore's errors once its retries are used up; those that read raise `MalformedRowError`, too.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        retention_seconds: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._sleep = client, sleep
        self.name, self.retention_seconds = name, retention_seconds

    def write(self, minute: int, averages: Mapping[str, Average]) -> None:
        """Write a minute; once more does no harm. The row of the total comes last: it says that all others are there.

        Raises `ThrottledError`.
        """
        rows = [self._row(escaped(level), minute, average) for level, average in averages.items()]
        for first in range(0, len(rows), _MOST_PUTS):
            self._put(rows[first : first + _MOST_PUTS])
        whole = fsum(average.players for average in averages.values())
        self._put([self._row(TOTAL, minute, Average(round(whole, 3), 0))])

    def seen(self, first: int, last: int) -> set[int]:
        """The minutes from ``first`` to ``last`` that were written."""
        return {int(row["minute"]["S"]) for row in self._rows(TOTAL, first, last)}

    def averages(self, level: str, first: int, last: int) -> dict[int, Average]:
        """The level's minutes from ``first`` to ``last`` in which it had players, those not wholly written too."""
        return dict(parsed(self.name, row, _average) for row in self._rows(escaped(level), first, last))

    def _rows(self, key: str, first: int, last: int) -> list[Item]:
        """Eventually consistent, at half the price."""
        rows = query(
            self._client,
            TableName=self.name,
            KeyConditionExpression="#level = :level AND #minute BETWEEN :first AND :last",
            ProjectionExpression="#minute, players, least",
            ExpressionAttributeNames={"#level": "level", "#minute": "minute"},  # reserved words
            ExpressionAttributeValues={
                ":level": text(key),
                ":first": text(sortable(first)),
                ":last": text(sortable(last)),
            },
        )
        return list(rows)

    def _row(self, key: str, minute: int, average: Average) -> Item:
        return {
            "level": text(key),
            "minute": text(sortable(minute)),
            "players": {"N": f"{average.players:.3f}"},
            "least": number(average.least),
            "expiresAt": number(minute + self.retention_seconds),
        }

    def _put(self, rows: Sequence[Item]) -> None:
        asked: Any = {self.name: [{"PutRequest": {"Item": row}} for row in rows]}
        for pause in _PAUSES:
            asked = self._client.batch_write_item(RequestItems=asked).get("UnprocessedItems", {})
            if not asked:
                return
            self._sleep(pause)
        raise ThrottledError(
            f"DynamoDB table {self.name} left rows of a batch over, {len(_PAUSES)} times in a row: it is throttled. "
            "The minute is written again later."
        )


def sortable(minute: int) -> str:
    """A minute as text whose order is that of time."""
    return f"{minute:010d}"


def _average(row: Item) -> tuple[int, Average]:
    return int(row["minute"]["S"]), Average(float(row["players"]["N"]), int(row["least"]["N"]))
