"""PlayerState: per player, the greatest event that was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headcount.model import LevelEvent, PlayerRow
from headcount.rules import rank
from headcount.tables import Item, number, parsed, scan, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

_NO_ROW = "attribute_not_exists(playerId)"
_OLDER = "lastUpdated < :at"
_SAME_TIME_LESSER_LEVEL = "(lastUpdated = :at AND levelId < :level)"
# Rule 1: the event is greater by (at, levelId) than what the row holds, or there is no row.
EVENT_IS_GREATER = f"{_NO_ROW} OR {_OLDER} OR {_SAME_TIME_LESSER_LEVEL}"
# Rule 6: only the very row that was judged may go.
ROW_IS_UNCHANGED = "lastUpdated = :at AND levelId = :level"

_TRIES = 20  # a condition that fails without a row to show for it: somebody deletes and inserts in step with us


class ContendedError(Exception):
    """A player's row was inserted and deleted under every one of many tries to write it."""


class PlayerTable:
    """Repository of the table PlayerState. Any method raises botocore's errors once its retries are used up."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self.name = name

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
