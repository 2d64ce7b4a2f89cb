"""PlayerState's stream as DynamoDB lists it, read without the KCL: where it was trimmed, and what lies on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from headcount.lineage import KEPT_FOR_CERTAIN_MS, Listing, StreamShard
from headcount.model import Position
from headcount.tables import answered_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

PAUSE_SECONDS = 0.5  # between two rounds of reads that found nothing
FULL_PAGE = 900  # of the 1,000 records that a read returns at most: more are waiting
MINUTE_MS = 60_000  # to which DynamoDB Local rounds the times of records
_LEAST_DIGITS = 21  # of a sequence number

StreamRecord = dict[str, Any]


class TableStream:
    """A table's stream. Methods raise botocore's errors once its retries are used up."""

    def __init__(self, client: DynamoDBStreamsClient, arn: str) -> None:
        self.client = client
        self.arn = arn

    def listing(self) -> Listing:
        """All shards that the stream still has, the closed ones too."""
        shards: list[StreamShard] = []
        arguments: dict[str, Any] = {"StreamArn": self.arn}
        while True:
            page = self.client.describe_stream(**arguments)["StreamDescription"]
            for shard in page.get("Shards", []):
                numbers = shard.get("SequenceNumberRange", {})
                starting, ending = numbers.get("StartingSequenceNumber"), numbers.get("EndingSequenceNumber")
                shards.append(StreamShard(shard["ShardId"], shard.get("ParentShardId") or None, starting, ending))
            if not page.get("LastEvaluatedShardId"):
                created = page.get("CreationRequestDateTime")
                return Listing(tuple(shards), round(created.timestamp() * 1000) if created else 0)
            arguments["ExclusiveStartShardId"] = page["LastEvaluatedShardId"]

    def is_trimmed(self, shard: StreamShard, after: Position | None) -> bool:
        """Whether records after ``after`` (None: from the shard's beginning) may have been trimmed."""
        if shard.starting is None:
            return False  # an emulator's, of a shard without records
        if after is None:
            return self._is_refused(shard, "AT_SEQUENCE_NUMBER", shard.starting)
        return shard.goes_beyond(after) and self._is_refused(shard, "AFTER_SEQUENCE_NUMBER", _number(shard, after))

    def is_lost(self, shard_id: str, after: Position | None, now: int) -> bool:
        """The same at ``now`` (ms) for a shard by its id; one that is no longer listed is trimmed as a whole."""
        listing = self.listing()
        shard = listing.by_id.get(shard_id)
        if after is None and now - listing.created_at <= KEPT_FOR_CERTAIN_MS:
            return False  # too young to have trimmed anything
        return shard is None or self.is_trimmed(shard, after)

    def _is_refused(self, shard: StreamShard, kind: Any, number: str) -> bool:
        try:
            self.client.get_shard_iterator(
                StreamArn=self.arn, ShardId=shard.shard_id, ShardIteratorType=kind, SequenceNumber=number
            )
        except (self.client.exceptions.TrimmedDataAccessException, self.client.exceptions.ResourceNotFoundException):
            return True
        return False

    def iterator(self, shard: StreamShard, after: Position | None) -> str | None:
        """Where to read on after ``after``, or from the oldest record that is left; None: the shard is gone."""
        where: dict[str, Any] = {"StreamArn": self.arn, "ShardId": shard.shard_id}
        try:
            if after is not None:
                number = _number(shard, after)
                try:
                    return self.client.get_shard_iterator(
                        **where, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=number
                    ).get("ShardIterator")
                except self.client.exceptions.TrimmedDataAccessException:
                    pass
            return self.client.get_shard_iterator(**where, ShardIteratorType="TRIM_HORIZON").get("ShardIterator")
        except self.client.exceptions.ResourceNotFoundException:
            return None


class Reading:
    """Reads all shards on and on, parents before their children, so that each player's changes come in order.

    ``positions``: by shard, the last record read (None: none yet). ``finished``: shards that were read to their end.
    """

    def __init__(
        self,
        stream: TableStream,
        after: Mapping[str, Position | None],
        finished: Iterable[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._stream, self._monotonic, self._sleep = stream, monotonic, sleep
        self.listing = Listing(())
        self.positions: dict[str, Position | None] = dict(after)
        self.finished = set(finished)
        self._iterators: dict[str, str] = {}
        self._is_behind = False
        self._began: int | None = None  # when this reading got its first answer, by AWS's clock

    def until_quiet(
        self,
        seconds: float,
        take: Callable[[list[StreamRecord]], None] = lambda _: None,
        caught_up_seconds: float = float("inf"),
    ) -> int:
        """Read until nothing has come for ``seconds``; hands records to ``take`` and returns how many there were.

        A table that is written all the time is never quiet: where no backlog showed for ``caught_up_seconds`` it ends.
        A backlog is what is older than this call, a full page, a closed shard that was not read to its end. How many
        records a page holds says nothing: a stream may hand its records over a few at a time.
        """
        count = 0
        self._began = None
        # Both are ends of rounds: how long one took says nothing.
        quiet_since: float | None = None
        caught_up_since: float | None = None
        while True:
            records, moved = self._round()
            count += len(records)
            take(records)
            now = self._monotonic()
            if self._is_behind or caught_up_since is None:
                caught_up_since = now
            if now - caught_up_since >= caught_up_seconds:
                return count
            if moved or self._is_behind:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = now
            elif now - quiet_since >= seconds:
                return count
            if not moved:
                self._sleep(min(PAUSE_SECONDS, seconds))

    def _round(self) -> tuple[list[StreamRecord], bool]:
        """Read each shard once; whether there was anything new, be it records, a shard, or the end of one."""
        self.listing = self._stream.listing()
        self._is_behind = False
        found: list[StreamRecord] = []
        before = len(self.finished), len(self.positions)
        for shard in self.listing.shards:
            waits = shard.parent in self.listing.by_id and shard.parent not in self.finished
            if not waits and shard.shard_id not in self.finished:
                found += self._read(shard)
            is_unread = waits or (shard.ending is not None and shard.shard_id not in self.finished)
            self._is_behind = self._is_behind or is_unread
        return found, bool(found) or before != (len(self.finished), len(self.positions))

    def _read(self, shard: StreamShard) -> list[StreamRecord]:
        name, client = shard.shard_id, self._stream.client
        position = self.positions.setdefault(name, None)
        iterator = self._iterators.pop(name, None) or self._stream.iterator(shard, position)
        if iterator is None:
            self.finished.add(name)
            return []
        try:
            page = client.get_records(ShardIterator=iterator)
        except (client.exceptions.ExpiredIteratorException, client.exceptions.TrimmedDataAccessException):
            return []  # the next round takes a new one
        records: list[Any] = page["Records"]
        self._began = self._began or answered_at(page)
        if records:
            is_old = self._began is not None and _created(records[-1]) < self._began
            self._is_behind = self._is_behind or is_old or len(records) >= FULL_PAGE
            self.positions[name] = Position(int(records[-1]["dynamodb"]["SequenceNumber"]))
        following = page.get("NextShardIterator")
        if following:
            self._iterators[name] = following
        else:
            self.finished.add(name)
        return records


def _created(record: StreamRecord) -> float:
    """The latest time that the record may be of (ms); for ever where it does not tell."""
    told = record["dynamodb"].get("ApproximateCreationDateTime")
    if told is None:
        return float("inf")
    at: float = round(told.timestamp() * 1000)
    return at + MINUTE_MS if at % MINUTE_MS == 0 else at


def _number(shard: StreamShard, position: Position) -> str:
    """The sequence number as the stream writes it: some emulators pad theirs."""
    return str(position.sequence).zfill(max(_LEAST_DIGITS, len(shard.starting or "")))
