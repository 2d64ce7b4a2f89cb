"""The shards of the events' stream, as Kinesis lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headcount.rules import Shard

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class EventStream:
    """A Kinesis stream. Methods raise botocore's errors once its retries are used up."""

    def __init__(self, client: KinesisClient, name: str) -> None:
        self._client = client
        self.name = name

    def shards(self) -> list[Shard]:
        """All shards that the stream still has, the closed ones too."""
        shards: list[Shard] = []
        arguments: dict[str, Any] = {"StreamName": self.name}
        while True:
            page = self._client.list_shards(**arguments)
            for shard in page["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                closed = bool(shard["SequenceNumberRange"].get("EndingSequenceNumber"))
                shards.append(Shard(shard["ShardId"], tuple(parent for parent in parents if parent), closed))
            if not page.get("NextToken"):
                return shards
            arguments = {"NextToken": page["NextToken"]}

    def shard(self, shard_id: str) -> Shard | None:
        """One of them."""
        return next((shard for shard in self.shards() if shard.shard_id == shard_id), None)
