"""The KCL's lease table, which bears the application's name: read whole, and emptied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from headcount.aws import is_missing
from headcount.kcl.leases import Lease
from headcount.model import Position
from headcount.tables import integer, scan

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.tables import Item

_ENDED = "SHARD_END"


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease, and how far its shard has come: ``checkpoint`` is a sequence number or a word of the KCL's."""

    lease: Lease
    checkpoint: str

    @property
    def has_ended(self) -> bool:
        """Whether the shard was read to its end."""
        return self.checkpoint == _ENDED

    @property
    def position(self) -> Position | None:
        """The checkpoint, if it is a record."""
        return Position(int(self.checkpoint)) if self.checkpoint.isdecimal() else None


def read_leases(client: DynamoDBClient, application: str) -> list[LeaseRow]:
    """All leases, read consistently; none where there is no table: the KCL makes it at its first start."""
    try:
        rows = list(
            scan(
                client,
                TableName=application,
                ProjectionExpression="leaseKey, leaseOwner, leaseCounter, #checkpoint",
                ExpressionAttributeNames={"#checkpoint": "checkpoint"},
            )
        )
    except ClientError as error:
        if not is_missing(error):
            raise
        return []
    return [LeaseRow(_lease(row), row.get("checkpoint", {}).get("S", "")) for row in rows]


def delete_leases(client: DynamoDBClient, application: str) -> int:
    """Delete all leases, so that the KCL begins anew at its initial position; returns how many there were."""
    rows = read_leases(client, application)
    for row in rows:
        client.delete_item(TableName=application, Key={"leaseKey": {"S": row.lease.key}})
    return len(rows)


def _lease(row: Item) -> Lease:
    return Lease(row["leaseKey"]["S"], row.get("leaseOwner", {}).get("S"), integer(row, "leaseCounter") or 0)
