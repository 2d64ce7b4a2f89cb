"""Clients of PlayerState's stream and of the KCL's lease table, as watch and rebuild have them (rules 7, 9)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from tests.fakes.dynamodb import AFTER, BEFORE
from tests.fakes.table_stream import GoneError, MemoryStreamClient, TrimmedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.model import Record
    from tests.simulation.kcl import Kcl
    from tests.simulation.streams import Stream, StreamShard

PAGE = 20  # records of a read


class StreamClient:
    """As much of boto3's as `headcount.table_stream` calls."""

    exceptions = MemoryStreamClient.exceptions

    def __init__(self, stream: Stream, now: float) -> None:
        self._stream, self._created = stream, datetime.fromtimestamp(now, UTC)

    def describe_stream(self, **_arguments: Any) -> dict[str, Any]:
        """All shards, one page."""
        shards = [_described(shard) for shard in self._stream.listed.values()]
        return {"StreamDescription": {"Shards": shards, "CreationRequestDateTime": self._created}}

    def get_shard_iterator(self, **request: str) -> dict[str, str]:
        """As AWS: what is older than the oldest record that is left is refused."""
        shard, kind = self._shard(request["ShardId"]), request["ShardIteratorType"]
        if kind == "TRIM_HORIZON":
            return {"ShardIterator": f"{shard.shard_id} {shard.trimmed}"}
        number = int(request["SequenceNumber"])
        if shard.trimmed and number <= shard.records[shard.trimmed - 1].position.sequence:
            raise TrimmedError
        after = number + (kind == "AFTER_SEQUENCE_NUMBER")
        at = sum(1 for record in shard.records if record.position.sequence < after)
        return {"ShardIterator": f"{shard.shard_id} {at}"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 (AWS's names)
        """A few."""
        name, at = ShardIterator.split()
        shard, first = self._shard(name), int(at)
        if first < shard.trimmed:
            raise TrimmedError
        records = shard.records[first : first + PAGE]
        is_over = shard.closed and first + PAGE >= len(shard.records)
        following = {} if is_over else {"NextShardIterator": f"{name} {first + len(records)}"}
        return {"Records": list(map(_read, records)), **following}

    def _shard(self, shard_id: str) -> StreamShard:
        listed = self._stream.listed
        if shard_id not in listed:
            raise GoneError
        return listed[shard_id]


class LeaseClient:
    """As much of DynamoDB's client as `headcount.kcl.lease_table` calls; ``touch`` as of the other tables."""

    def __init__(self, kcl: Kcl, touch: Callable[[str, str, str], object]) -> None:
        self._kcl, self._touch = kcl, touch

    def scan(self, TableName: str, **_arguments: Any) -> dict[str, Any]:  # noqa: N803 (AWS's names)
        """All leases."""
        self._touch("scan", TableName, BEFORE)
        items = [
            {"leaseKey": {"S": shard}, "leaseCounter": {"N": "1"}, "checkpoint": {"S": lease.told}}
            for shard, lease in self._kcl.leases.items()
        ]
        self._touch("scan", TableName, AFTER)
        return {"Items": items}

    def delete_item(self, TableName: str, Key: dict[str, Any]) -> None:  # noqa: N803 (AWS's names)
        """One lease."""
        self._touch("delete_item", TableName, BEFORE)
        self._kcl.leases.pop(Key["leaseKey"]["S"], None)
        self._touch("delete_item", TableName, AFTER)


def _described(shard: StreamShard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": str(shard.starting)}
    if shard.ending is not None:
        numbers["EndingSequenceNumber"] = str(shard.ending)
    parent = {"ParentShardId": shard.parents[0]} if shard.parents else {}
    return {"ShardId": shard.shard_id, "SequenceNumberRange": numbers, **parent}


def _read(record: Record) -> dict[str, Any]:
    change: dict[str, Any] = orjson.loads(record.data)
    return {"dynamodb": change["dynamodb"] | {"SequenceNumber": record.sequence_number}}
