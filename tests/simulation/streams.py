"""Sharded streams in memory: Kinesis with split and merge, a DynamoDB stream whose shards roll over and are trimmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

from headcount.model import Position, Record
from tests.simulation.schedule import HASHES

if TYPE_CHECKING:
    from collections.abc import Callable

PACKED_MS = 200  # records that come within so long may share a sequence number


@dataclass
class StreamShard:
    """One shard and all that it ever took; ``trimmed``: so many of these are forgotten, ``gone``: it is itself."""

    shard_id: str
    lowest: int
    end: int
    starting: int
    parents: tuple[str, ...] = ()
    ending: int | None = None
    closed_at: float = 0.0
    records: list[Record] = field(default_factory=list)
    trimmed: int = 0
    gone: bool = False

    @property
    def closed(self) -> bool:
        """Whether it takes no more records."""
        return self.ending is not None


class Stream:
    """A stream of ``shards`` equal shards."""

    def __init__(self, name: str, shards: int, clock: Callable[[], float]) -> None:
        self.name, self._clock = name, clock
        self.shards: dict[str, StreamShard] = {}
        self._sequence = count(1000)
        bounds = [HASHES * number // shards for number in range(shards + 1)]
        for lowest, end in pairwise(bounds):
            self._open(lowest, end)

    def put(self, key: int, data: bytes, arrived_at: int, *, aggregated: bool = False) -> tuple[StreamShard, Record]:
        """Take a record; ``aggregated``: as the next part of one just put, if there is one, as the KPL packs them."""
        shard = next(shard for shard in self.open if shard.lowest <= key < shard.end)
        if aggregated and shard.records and arrived_at - shard.records[-1].arrived_at < PACKED_MS:
            last = shard.records[-1]
            position, arrived_at = Position(last.position.sequence, last.position.sub + 1), last.arrived_at
        else:
            position = Position(next(self._sequence))
        record = Record(position, str(position.sequence), data, arrived_at)
        shard.records.append(record)
        return shard, record

    @property
    def listed(self) -> dict[str, StreamShard]:
        """The shards that the stream still has, by id."""
        return {shard_id: shard for shard_id, shard in self.shards.items() if not shard.gone}

    @property
    def open(self) -> list[StreamShard]:
        """The shards that take records, by range."""
        return sorted((shard for shard in self.shards.values() if not shard.closed), key=lambda shard: shard.lowest)

    def split(self, number: int) -> None:
        """Close a shard and open two in its place."""
        shard = self.open[number % len(self.open)]
        if shard.end - shard.lowest > 1:
            middle = (shard.lowest + shard.end) // 2
            self._close(shard)
            self._open(shard.lowest, middle, shard.shard_id)
            self._open(middle, shard.end, shard.shard_id)

    def merge(self, number: int) -> None:
        """Close a shard and its neighbour, and open one in their place."""
        if len(self.open) > 1:
            left, right = self.open[number % (len(self.open) - 1) :][:2]
            self._close(left)
            self._close(right)
            self._open(left.lowest, right.end, left.shard_id, right.shard_id)

    def roll(self, number: int) -> None:
        """Close a shard and open its successor, as DynamoDB does every few hours."""
        shard = self.open[number % len(self.open)]
        self._close(shard)
        self._open(shard.lowest, shard.end, shard.shard_id)

    def trim(self, seconds: float) -> list[tuple[StreamShard, Record]]:
        """Forget what is older, records and closed shards; returns the records."""
        end = self._clock() - seconds
        forgotten = []
        for shard in self.listed.values():
            trimmed = sum(1 for record in shard.records if record.arrived_at < end * 1000)
            forgotten += [(shard, record) for record in shard.records[shard.trimmed : trimmed]]
            shard.trimmed = max(shard.trimmed, trimmed)
            shard.gone = shard.closed and shard.closed_at < end
        return forgotten

    def _open(self, lowest: int, end: int, *parents: str) -> None:
        shard_id = f"{self.name}-{len(self.shards)}"
        self.shards[shard_id] = StreamShard(shard_id, lowest, end, next(self._sequence), parents)

    def _close(self, shard: StreamShard) -> None:
        shard.ending, shard.closed_at = next(self._sequence), self._clock()


@dataclass
class MemoryKinesis:
    """What of boto3's client the pruner and a new worker ask."""

    stream: Stream

    def list_shards(self, **_arguments: Any) -> dict[str, Any]:
        """As Kinesis lists them, one page."""
        return {"Shards": [_listed(shard) for shard in self.stream.listed.values()]}


def _listed(shard: StreamShard) -> dict[str, Any]:
    parents = dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))
    numbers = {"StartingSequenceNumber": str(shard.starting)}
    if shard.ending is not None:
        numbers["EndingSequenceNumber"] = str(shard.ending)
    return {"ShardId": shard.shard_id, "SequenceNumberRange": numbers, **parents}
