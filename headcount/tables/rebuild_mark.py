"""The row of StreamProgress that says that LevelState is being rebuilt: no aggregator counts while it is unfinished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount.tables import number, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MINE = "rebuildId = :id"  # no other rebuild has begun since


def rebuild_worker(stream: str) -> str:
    """The row's key, to be read as any row of StreamProgress: while it is there and not ``ended``, nobody counts."""
    return f"rebuild/{stream}"


class RebuildMark:
    """The row for ``stream`` (``table@created``), held by ``token``. Methods raise botocore's errors."""

    def __init__(self, client: DynamoDBClient, table: str, stream: str, token: str) -> None:
        self._client, self._table, self._token = client, table, token
        self._key = {"worker": text(rebuild_worker(stream))}

    def begin(self, now: int) -> bool:
        """Say that a rebuild has begun (``now``: ms); whether one before it was cut short."""
        row = {**self._key, "rebuildId": text(self._token), "updatedAt": number(now)}
        before = self._client.put_item(TableName=self._table, Item=row, ReturnValues="ALL_OLD").get("Attributes")
        return bool(before) and "ended" not in before

    def hold(self, now: int) -> bool:
        """Say that it goes on; False: another rebuild has begun since."""
        return self._update("SET updatedAt = :now", now)

    def finish(self, now: int) -> bool:
        """Say that it is done; False: another rebuild has begun since."""
        return self._update("SET updatedAt = :now, ended = :true", now)

    def _update(self, update: str, now: int) -> bool:
        values = {":now": number(now), ":id": text(self._token)}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._key,
                UpdateExpression=update,
                ConditionExpression=_MINE,
                ExpressionAttributeValues=values | ({":true": {"BOOL": True}} if ":true" in update else {}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True
