"""A table's stream in memory, with what no emulator does within a test: shards that roll, and records trimmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, cast

from headcount.table_stream import TableStream

PAGE = 3


class TrimmedError(Exception):
    """TrimmedDataAccessException."""


class GoneError(Exception):
    """ResourceNotFoundException."""


class ExpiredError(Exception):
    """ExpiredIteratorException."""


class _Exceptions:
    TrimmedDataAccessException = TrimmedError
    ResourceNotFoundException = GoneError
    ExpiredIteratorException = ExpiredError


@dataclass
class _Shard:
    shard_id: str
    parent: str | None
    starting: int
    records: list[dict[str, Any]] = field(default_factory=list)
    trimmed: int = 0
    ending: int | None = None


@dataclass
class MemoryStreamClient:
    """As much of the client as `TableStream` calls. ``on_read`` is called before each read of records."""

    created_at: datetime = datetime(2026, 11, 24, tzinfo=UTC)
    shards: list[_Shard] = field(default_factory=list)
    number: int = 10**22
    on_read: Callable[[], None] = lambda: None
    page: int = PAGE
    clock: Callable[[], float] | None = None  # tells when a record was made, and the time of an answer
    exceptions: type[_Exceptions] = _Exceptions

    def begin(self, shard_id: str, parent: str | None = None) -> str:
        """A new shard."""
        self.number += 1
        self.shards.append(_Shard(shard_id, parent, self.number))
        return shard_id

    def put(self, shard_id: str, player: str, before: str | None, after: str | None) -> int:
        """A change of a player's level; returns its sequence number."""
        change: dict[str, Any] = {"Keys": {"playerId": {"S": player}}}
        for name, level in (("OldImage", before), ("NewImage", after)):
            if level is not None:
                row = {"playerId": {"S": player}, "levelId": {"S": level}, "lastUpdated": {"N": "1"}}
                change[name] = row
        return self.append(shard_id, change)

    def append(self, shard_id: str, change: dict[str, Any]) -> int:
        """Any change of a row; returns its sequence number."""
        self.number += 1
        made = {"ApproximateCreationDateTime": datetime.fromtimestamp(int(self.clock()), UTC)} if self.clock else {}
        self._shard(shard_id).records.append({"dynamodb": {**change, "SequenceNumber": str(self.number), **made}})
        return self.number

    def roll(self, shard_id: str, child: str) -> str:
        """Close the shard; its child goes on."""
        self.number += 1
        self._shard(shard_id).ending = self.number
        return self.begin(child, shard_id)

    def trim(self, shard_id: str, count: int) -> None:
        """Drop the oldest records of a shard."""
        self._shard(shard_id).trimmed += count

    def drop(self, shard_id: str) -> None:
        """Drop a shard with all that is on it."""
        self.shards.remove(self._shard(shard_id))

    def describe_stream(self, StreamArn: str, ExclusiveStartShardId: str = "") -> dict[str, Any]:  # noqa: N803 (AWS's names)
        """Two shards a page."""
        assert StreamArn
        at = [shard.shard_id for shard in self.shards].index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        page = self.shards[at : at + 2]
        listed = []
        for shard in page:
            numbers = {"StartingSequenceNumber": str(shard.starting)}
            if shard.ending is not None:
                numbers["EndingSequenceNumber"] = str(shard.ending)
            parent = {"ParentShardId": shard.parent} if shard.parent else {}
            listed.append({"ShardId": shard.shard_id, "SequenceNumberRange": numbers, **parent})
        description = {"Shards": listed, "CreationRequestDateTime": self.created_at}
        more = {"LastEvaluatedShardId": page[-1].shard_id} if at + 2 < len(self.shards) else {}
        return {"StreamDescription": description | more}

    def get_shard_iterator(self, **request: str) -> dict[str, str]:
        """As AWS: what is older than the oldest record that is left is refused."""
        shard = self._shard(request["ShardId"])
        if request["ShardIteratorType"] == "TRIM_HORIZON":
            return {"ShardIterator": f"{shard.shard_id} {shard.trimmed}"}
        number = int(request["SequenceNumber"])
        gone = [_number(record) for record in shard.records[: shard.trimmed]]
        if gone and number <= gone[-1]:
            raise TrimmedError
        after = request["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER"
        at = sum(1 for record in shard.records if _number(record) < number + after)
        return {"ShardIterator": f"{shard.shard_id} {at}"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 (AWS's names)
        """A few."""
        self.on_read()
        name, at = ShardIterator.split()
        shard, first = self._shard(name), int(at)
        if first < shard.trimmed:
            raise TrimmedError
        records = shard.records[first : first + self.page]
        is_over = shard.ending is not None and first + self.page >= len(shard.records)
        following = {} if is_over else {"NextShardIterator": f"{name} {first + len(records)}"}
        date = {"date": formatdate(int(self.clock()), usegmt=True)} if self.clock is not None else {}
        return {"Records": records, "ResponseMetadata": {"HTTPHeaders": date}, **following}

    def _shard(self, shard_id: str) -> _Shard:
        for shard in self.shards:
            if shard.shard_id == shard_id:
                return shard
        raise GoneError


def memory_stream(client: MemoryStreamClient) -> TableStream:
    """The real reader on it."""
    return TableStream(cast("Any", client), "arn:aws:dynamodb:us-east-1:1:table/PlayerState/stream/1")


def _number(record: dict[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])
