"""PlayerState: per player, the greatest event that was applied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from headcount.model import LevelEvent, PlayerRow
from headcount.rules import rank
from headcount.tables import Item, number, parsed, scan, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

_NO_ROW = "attribute_not_exists(playerId)"
_NOT_LATER = "lastUpdated <= :at"
_SAME_TIME_NO_LESSER_LEVEL = "(lastUpdated = :at AND levelId >= :level)"
# Rule 1: the event is greater by (at, levelId) than what the row holds. Without an OR, which MiniStack's PartiQL does
# not take beside the key.
ROW_IS_LESSER = f"{_NOT_LATER} AND NOT {_SAME_TIME_NO_LESSER_LEVEL}"
EVENT_IS_GREATER = f"{_NO_ROW} OR ({ROW_IS_LESSER})"
# Rule 6: only the very row that was judged may go.
ROW_IS_UNCHANGED = "lastUpdated = :at AND levelId = :level"

# In PartiQL, whose parameters have no names: each stands in its place. A row that is missing fails it (no upsert).
_SET_IF_LESSER = f"SET levelId = :level SET lastUpdated = :at WHERE playerId = :player AND {ROW_IS_LESSER}"
_NAMED = re.compile(r":(\w+)")
_PARAMETERS = _NAMED.findall(_SET_IF_LESSER)

MOST_STATEMENTS = 25  # DynamoDB's limit for one call of BatchExecuteStatement

_TRIES = 20  # a condition that fails without a row to show for it: somebody deletes and inserts in step with us


class ContendedError(Exception):
    """A player's row was inserted and deleted under every one of many tries to write it."""


class PlayerTable:
    """Repository of the table PlayerState. Any method raises botocore's errors once its retries are used up."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self.name = name
        self._statement = f'UPDATE "{name}" {_NAMED.sub("?", _SET_IF_LESSER)}'

    def apply(self, event: LevelEvent) -> PlayerRow | None:
        """Write ``event`` if it is greater than the row; None if written, else the row *seen* to be at least as great.

        Any other failed condition (a row deleted meanwhile) decides nothing and is tried again (rule 1).
        """
        for _ in range(_TRIES):
            try:
                self._client.update_item(
                    TableName=self.name,
                    Key={"playerId": text(event.player)},
                    UpdateExpression="SET levelId = :level, lastUpdated = :at",
                    ConditionExpression=EVENT_IS_GREATER,
                    ExpressionAttributeValues={":level": text(event.level), ":at": number(event.at)},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                item: Any = error.response.get("Item")
                row = parsed(self.name, item, _row) if item else self.get(event.player)
                if row is not None and rank(row) >= rank(event):
                    return row
            else:
                return None
        raise ContendedError(f"A row of {self.name} changed under {_TRIES} tries to write it; the service restarts.")

    def apply_all(self, events: Sequence[LevelEvent]) -> list[PlayerRow | None]:
        """The same in one call for up to `MOST_STATEMENTS` players, each of whom has but one event and probably a row.

        Whatever its statement does not decide, a missing row or throttling say, is decided by `apply`.
        """
        statements = [self._updating(event) for event in events]
        answers = self._client.batch_execute_statement(Statements=statements)["Responses"]
        decided: list[PlayerRow | None] = []
        for event, answer in zip(events, answers, strict=True):
            if "Error" not in answer:
                decided.append(None)
                continue
            item: Any = answer["Error"].get("Item")
            row = parsed(self.name, item, _row) if item else None
            decided.append(row if row is not None and rank(row) >= rank(event) else self.apply(event))
        return decided

    def _updating(self, event: LevelEvent) -> BatchStatementRequestTypeDef:
        values = {"level": text(event.level), "at": number(event.at), "player": text(event.player)}
        return {
            "Statement": self._statement,
            "Parameters": [values[name] for name in _PARAMETERS],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def get(self, player: str) -> PlayerRow | None:
        """The player's row, read consistently."""
        found = self._client.get_item(TableName=self.name, Key={"playerId": text(player)}, ConsistentRead=True)
        return parsed(self.name, found["Item"], _row) if "Item" in found else None

    def idle(
        self, cutoff: int, segment: int, segments: int, on_page: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[str, PlayerRow]]:
        """Players last seen before ``cutoff``, of one segment of a parallel scan; ``on_page`` is called per page."""
        return self._scan(
            on_page,
            Segment=segment,
            TotalSegments=segments,
            FilterExpression="lastUpdated < :cutoff",
            ExpressionAttributeValues={":cutoff": number(cutoff)},
        )

    def all(self) -> Iterator[tuple[str, PlayerRow]]:
        """Every player and row."""
        return self._scan(lambda: None)

    def delete(self, player: str, row: PlayerRow) -> bool:
        """Delete the player's row if it still is ``row``; whether it was deleted."""
        try:
            self._client.delete_item(
                TableName=self.name,
                Key={"playerId": text(player)},
                ConditionExpression=ROW_IS_UNCHANGED,
                ExpressionAttributeValues={":level": text(row.level), ":at": number(row.at)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _scan(self, on_page: Callable[[], None], **arguments: object) -> Iterator[tuple[str, PlayerRow]]:
        for item in scan(self._client, on_page, TableName=self.name, **arguments):
            yield item["playerId"]["S"], parsed(self.name, item, _row)


def _row(item: Item) -> PlayerRow:
    return PlayerRow(item["levelId"]["S"], int(item["lastUpdated"]["N"]))
