"""Dead letters as rows of a DynamoDB table; a long record takes several parts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from headcount.dead_letters.letter import Ending, refuse
from headcount.dead_letters.rows import FIRST_PART, heading_of, kept_of, part_name, part_number
from headcount.tables import Item, MalformedRowError, number, scan, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.dead_letters.letter import DeadLetter, Heading, Kept, Selection

Parsed = TypeVar("Parsed")

PART_BYTES = 350_000  # an item may have 400 kB, a record 1 MB (10 MB where that is enabled)
RETENTION_SECONDS = 30 * 86_400

# Clauses of a list's filter.
_OF_REASON = "#reason = :reason"
_OF_SHARD = "#shard = :shard"
_SINCE = "#arrivedAt >= :since"
_UNTIL = "#arrivedAt <= :until"
_IS_THERE = "attribute_exists(#record)"

_HEADING = ("record", "part", "shard", "arrivedAt", "reason", "detail", "size", "ending")  # all but the bytes
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
                    "part": text(part_name(part)),
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

    def headings(
        self, selection: Selection, unreadable: Callable[[MalformedRowError], object] = refuse
    ) -> Iterator[Heading]:
        """See `DeadLetters`; reads the whole table, its bytes too, which DynamoDB counts but does not send.

        A letter is told by the least part that is there: the first one, as a rule, which is deleted last.
        """
        record = None
        for item in self._selected(selection):
            try:
                heading = self._parsed(item, heading_of)
            except MalformedRowError as error:
                unreadable(error)
            else:
                # Later parts come right after the first one, as a rule: then they need no look.
                if item["part"]["S"] == FIRST_PART or (heading.key != record and self._is_least(item)):
                    yield heading
            record = item["record"]["S"]

    def get(self, key: str) -> Kept | None:
        """See `DeadLetters`."""
        items = list(self._rows(key))
        for item in items:
            self._parsed(item, part_number)
        return self._parsed(items[0], lambda _: kept_of(items)) if items else None

    def delete(self, key: str, why: Ending = Ending.DELETED) -> bool:
        """Delete all parts, the first one last: what a crash leaves still shows in a list, and says what it is."""
        parts = [item["part"] for item in self._rows(key, ProjectionExpression="#part")]
        if len(parts) > 1:
            self._begin_to_delete(key, parts[0], why)
        for part in reversed(parts):
            self._client.delete_item(TableName=self._name, Key={"record": text(key), "part": part})
        return bool(parts)

    def _selected(self, selection: Selection) -> Iterator[Item]:
        """Rows of all parts, without their bytes."""
        clauses, values = [], {}
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
        only: dict[str, Any] = {}
        if clauses:
            only = {"FilterExpression": " AND ".join(clauses), "ExpressionAttributeValues": values}
        return scan(
            self._client,
            TableName=self._name,
            ProjectionExpression=", ".join(_NAMES),
            ExpressionAttributeNames=_NAMES,
            **only,
        )

    def _is_least(self, item: Item) -> bool:
        """Whether a letter's earlier parts are all gone."""
        least = next(self._rows(item["record"]["S"], ProjectionExpression="#part", Limit=1), None)
        return least is not None and least["part"] == item["part"]

    def _begin_to_delete(self, key: str, part: Any, why: Ending) -> None:
        """Note why in the part that goes last. What was noted before stays: that a record was sent is not undone."""
        try:
            self._client.update_item(
                TableName=self._name,
                Key={"record": text(key), "part": part},
                UpdateExpression="SET #ending = if_not_exists(#ending, :why)",
                ConditionExpression=_IS_THERE,
                ExpressionAttributeNames={name: _NAMES[name] for name in ("#ending", "#record")},
                ExpressionAttributeValues={":why": text(why)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # it has expired, or another command deletes it

    def _parsed(self, item: Item, parse: Callable[[Item], Parsed]) -> Parsed:
        """What ``parse`` reads from a row; unlike a player's row it may be named."""
        try:
            return parse(item)
        except (KeyError, TypeError, ValueError) as error:
            record, part = (next(iter(item.get(name, {"": "?"}).values())) for name in ("record", "part"))
            raise MalformedRowError(
                f"The row of DynamoDB table {self._name} with record {record} and part {part} is not as Headcount "
                f"writes it ({type(error).__name__} {error}). Mend or delete the row."
            ) from error

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
