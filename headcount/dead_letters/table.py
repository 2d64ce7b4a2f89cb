"""Dead letters as rows of a DynamoDB table; a long record takes several parts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from headcount.dead_letters.letter import DeadLetter, Heading, Kept, split
from headcount.tables import Item, integer, number, parsed, scan, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.dead_letters.letter import Selection

PART_BYTES = 350_000  # an item may have 400 kB, a record 1 MB (10 MB where that is enabled)
RETENTION_SECONDS = 30 * 86_400

# Clauses of a list's filter. Each letter has a first part, which is written first and deleted last.
_FIRST_PART = "#part = :part"
_OF_REASON = "#reason = :reason"
_OF_SHARD = "#shard = :shard"
_SINCE = "#arrivedAt >= :since"
_UNTIL = "#arrivedAt <= :until"

_HEADING = ("record", "part", "shard", "arrivedAt", "reason", "detail", "size")  # all but the bytes
_NAMES = {f"#{name}": name for name in _HEADING}  # some are reserved words


class DeadLetterTable:
    """Repository of the table DeadLetters. Any method raises botocore's errors once its retries are used up."""

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        retention_seconds: int = RETENTION_SECONDS,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._name = client, name
        self._retention, self._wall = retention_seconds, wall

    def put(self, letter: DeadLetter) -> None:
        """Write all parts, the first one first."""
        starts = range(0, max(1, len(letter.raw)), PART_BYTES)
        for part, start in enumerate(starts):
            self._client.put_item(
                TableName=self._name,
                Item={
                    "record": text(letter.key),
                    "part": text(_part(part)),
                    "parts": number(len(starts)),
                    "shard": text(letter.shard),
                    "sequenceNumber": text(letter.sequence_number),
                    "arrivedAt": number(letter.arrived_at),
                    "reason": text(letter.reason),
                    "detail": text(letter.detail),
                    "size": number(len(letter.raw)),
                    "raw": {"B": letter.raw[start : start + PART_BYTES]},
                    "expiresAt": number(int(self._wall()) + self._retention),
                },
            )

    def headings(self, selection: Selection) -> Iterator[Heading]:
        """See `DeadLetters`; reads the whole table, its bytes too, which DynamoDB counts but does not send."""
        clauses, values = [_FIRST_PART], {":part": text(_part(0))}
        chosen = (
            (_OF_REASON, ":reason", selection.reason),
            (_OF_SHARD, ":shard", selection.shard),
            (_SINCE, ":since", selection.since),
            (_UNTIL, ":until", selection.until),
        )
        for clause, name, value in chosen:
            if value is not None:
                clauses.append(clause)
                values[name] = number(value) if isinstance(value, int) else text(value)
        items = scan(
            self._client,
            TableName=self._name,
            ProjectionExpression=", ".join(_NAMES),
            FilterExpression=" AND ".join(clauses),
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues=values,
        )
        return (parsed(self._name, item, _heading) for item in items)

    def get(self, key: str) -> Kept | None:
        """See `DeadLetters`."""
        items = list(self._rows(key))
        return parsed(self._name, items[0], lambda _: _kept(items)) if items else None

    def delete(self, key: str) -> bool:
        """Delete all parts, the first one last: what a crash leaves still shows in a list."""
        parts = [item["part"] for item in self._rows(key, ProjectionExpression="#part")]
        for part in reversed(parts):
            self._client.delete_item(TableName=self._name, Key={"record": text(key), "part": part})
        return bool(parts)

    def _rows(self, key: str, **arguments: Any) -> Iterator[Item]:
        """All parts of a letter in their order."""
        names = {"#record": "record"} | ({"#part": "part"} if arguments else {})
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="#record = :record",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":record": text(key)},
            ConsistentRead=True,
            **arguments,
        )
        for page in pages:
            yield from page["Items"]


def _part(number_from_0: int) -> str:
    return f"{number_from_0:04}"


def _heading(item: Item) -> Heading:
    key = item["record"]["S"]
    split(key)
    return Heading(
        key=key,
        arrived_at=int(item["arrivedAt"]["N"]),
        reason=item["reason"]["S"],
        detail=item["detail"]["S"],
        size=integer(item, "size"),
    )


def _kept(items: list[Item]) -> Kept:
    first = items[0]
    stream, shard, position = split(first["record"]["S"])
    there = {int(item["part"]["S"]): bytes(item["raw"]["B"]) for item in items}
    parts = int(first["parts"]["N"])
    letter = DeadLetter(
        stream=stream,
        shard=shard,
        position=position,
        sequence_number=first["sequenceNumber"]["S"],
        arrived_at=int(first["arrivedAt"]["N"]),
        reason=first["reason"]["S"],
        detail=first["detail"]["S"],
        raw=b"".join(there[part] for part in sorted(there)),
    )
    return Kept(letter, parts, tuple(part + 1 for part in range(parts) if part not in there))
