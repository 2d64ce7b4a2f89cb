"""Headcount's tables as anybody with AWS' SDK sees them; names of attributes are those of docs/semantics.md."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

STREAM = "enriched-good"
Move = tuple[int, str | None, str | None]
"""Minute (epoch s), from, to; None: entered or left the game."""


@dataclass(frozen=True)
class Level:
    """A row of LevelState."""

    players: int
    entered: int
    left: int


class Aws:
    """Reads the tables and writes to the stream; ``address``: of the emulator."""

    def __init__(self, address: str) -> None:
        options: dict[str, Any] = {
            "endpoint_url": f"http://{address}",
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "config": Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 8}),
        }
        self.kinesis = boto3.client("kinesis", **options)
        self._dynamodb = boto3.client("dynamodb", **options)

    def close(self) -> None:
        """Let the connections go."""
        self.kinesis.close()
        self._dynamodb.close()

    def players(self) -> dict[str, tuple[str, int]]:
        """PlayerState: level and time of each player."""
        rows = self._scan("PlayerState")
        return {row["playerId"]["S"]: (row["levelId"]["S"], int(row["lastUpdated"]["N"])) for row in rows}

    def levels(self) -> dict[str, Level]:
        """LevelState."""
        counts = ("playerCount", "entered", "left")
        return {
            row["levelId"]["S"]: Level(*(int(row[count]["N"]) for count in counts)) for row in self._scan("LevelState")
        }

    def transitions(self) -> Counter[Move]:
        """Transitions, the minutes' buckets joined."""
        moves: Counter[Move] = Counter()
        for row in self._scan("Transitions"):
            source, target = (row[name]["S"] if name in row else None for name in ("levelFrom", "levelTo"))
            moves[int(row["period"]["N"]), source, target] += int(row["transitionCount"]["N"])
        return moves

    def tallies(self) -> Counter[str]:
        """Records by outcome, over all shards of the stream."""
        total: Counter[str] = Counter()
        for row in self._scan("StreamProgress"):
            if row["worker"]["S"].startswith("consumer/"):
                total.update({name: int(count["N"]) for name, count in row["tallies"]["M"].items()})
        return total

    def cutoff(self) -> tuple[int, int]:
        """The pruner's cutoff, and that of its last complete pass; 0 where there is none yet."""
        key = {"worker": {"S": "pruner/cutoff"}}
        row = self._dynamodb.get_item(TableName="StreamProgress", Key=key, ConsistentRead=True).get("Item", {})
        cutoff, completed = (int(row[name]["N"]) if name in row else 0 for name in ("watermark", "completed"))
        return cutoff, completed

    def dead_letters(self) -> dict[str, bytes]:
        """Raw bytes by sequence number."""
        return {row["sequenceNumber"]["S"]: row["raw"]["B"] for row in self._scan("DeadLetters")}

    def leases(self) -> dict[str, str]:
        """Who holds which shard of the events' stream, by the KCL's table."""
        rows = self._scan("headcount-consumer")
        return {row["leaseKey"]["S"]: row["leaseOwner"]["S"] for row in rows if "leaseOwner" in row}

    def counted_beyond_the_checkpoint(self) -> bool:
        """Whether an aggregator that dies now finds changes again that it has counted."""
        counted = {
            row["worker"]["S"].rpartition("/")[2]: int(row["sequenceNumber"]["S"])
            for row in self._scan("StreamProgress")
            if row["worker"]["S"].startswith("level_aggregator/") and "sequenceNumber" in row
        }
        checkpoints = {row["leaseKey"]["S"]: row["checkpoint"]["S"] for row in self._scan("headcount-level-aggregator")}
        return any(
            checkpoints[shard].isdigit() and int(checkpoints[shard]) < position
            for shard, position in counted.items()
            if shard in checkpoints
        )

    def shards(self) -> list[str]:
        """Ids of the stream's shards."""
        return [shard["ShardId"] for shard in self.kinesis.list_shards(StreamName=STREAM)["Shards"]]

    def records(self) -> int:
        """How many records lie on the stream, from its beginning."""
        return sum(self._records(shard) for shard in self.shards())

    def _records(self, shard: str) -> int:
        iterator: str | None = self.kinesis.get_shard_iterator(
            StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found = 0
        while iterator:
            answer = self.kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            found += len(answer["Records"])
            if not answer["Records"] and not answer["MillisBehindLatest"]:
                break
            iterator = answer.get("NextShardIterator")
        return found

    def _scan(self, table: str) -> Iterator[dict[str, Any]]:
        for answer in self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from answer["Items"]
