"""A Headcount on an emulator without the KCL: real tables and stream, an aggregator that a test runs by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.audit import Audit, Difference
from headcount.metrics import AggregatorMetrics
from headcount.model import LevelEvent, Position, Progress, Record
from headcount.rebuild import Parts, Rebuild
from headcount.rules import transition_of
from headcount.settings import Settings
from headcount.table_stream import Reading, StreamRecord, TableStream
from headcount.tables.counts import CountTables, Net
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from headcount.tables.rebuild_mark import RebuildMark
from level_aggregator.handler import AggregatorHandler
from level_aggregator.handler import Parts as AggregatorParts
from level_aggregator.stream_record import read_change
from tests.fakes.emulated import make_tables, streams

QUIET_SECONDS = 0.1  # an emulator shows a change as soon as it has answered the write


class Town:
    """Tables of its own in an emulator."""

    def __init__(self, client: DynamoDBClient, settings: Settings) -> None:
        self.client, self.settings = client, settings
        names = (settings.player_table, settings.level_table, settings.transitions_table, settings.progress_table)
        make_tables(client, settings, *names)
        described = client.describe_table(TableName=settings.player_table)["Table"]
        self.identity = f"{settings.player_table}@{described['LatestStreamLabel']}"
        self.leases = f"{settings.application}-level-aggregator"
        self._streams = streams(client.meta.endpoint_url)
        self.stream = TableStream(self._streams, described["LatestStreamArn"])
        self.players = PlayerTable(client, settings.player_table)
        self.counts = CountTables(client, settings.level_table, settings.transitions_table, 604_800)
        self.progress = ProgressTable(client, settings.progress_table)
        self.said: list[str] = []
        self._make_leases()

    def close(self) -> None:
        """Give the connection back."""
        self._streams.close()

    def move(self, player: str, level: str, at: int = 1) -> None:
        """As a consumer does."""
        self.players.apply(LevelEvent(player, level, at))

    def aggregate(self, checkpoint: Position | None = None, after: dict[str, Position | None] | None = None) -> None:
        """Count the stream as a new worker of each shard does; from its beginning, or ``after`` positions."""
        parts = AggregatorParts(
            self.counts, self.progress, AggregatorMetrics(), self.settings.idle_timeout_ms, is_lost=self.stream.is_lost
        )
        [shard] = self.stream.listing().shards
        handler = AggregatorHandler(parts, self.identity, shard.shard_id)
        handler.start(checkpoint)
        records: list[StreamRecord] = []
        Reading(self.stream, after or {}).until_quiet(QUIET_SECONDS, records.extend)
        handler.handle([_record(one) for one in records], caught_up=True)
        handler.settle(everything=True)

    def count_after(self, shard: str, row: Progress) -> None:
        """All that comes after ``row`` in one transaction, as a worker does that had begun before."""
        records: list[StreamRecord] = []
        reading = Reading(self.stream, {shard: row.position})
        reading.until_quiet(QUIET_SECONDS, records.extend)
        net = Net()
        for one in records:
            transition = transition_of(read_change(_record(one).data), self.settings.idle_timeout_ms)
            if transition is not None:
                net.add(transition)
        now = replace(row, position=reading.positions[shard])
        self.counts.apply(net, self.progress, f"level_aggregator/{self.identity}/{shard}", row, now)

    def rows(self) -> dict[str, Progress]:
        """The progress of each shard, but for when it was written."""
        found = self.progress.read_all(f"level_aggregator/{self.identity}/")
        return {shard: replace(row, updated_at=0) for shard, row in found.items()}

    def forget_progress(self) -> None:
        """Delete the aggregator's rows."""
        for shard in self.rows():
            key = {"worker": {"S": f"level_aggregator/{self.identity}/{shard}"}}
            self.client.delete_item(TableName=self.progress.name, Key=key)

    def spoil(self, level: str, **numbers: int) -> None:
        """Write a level's row by hand."""
        row: dict[str, Any] = {"levelId": {"S": level}}
        row |= {name: {"N": str(value)} for name, value in numbers.items()}
        self.client.put_item(TableName=self.counts.levels_name, Item=row)

    def lease(self, shard: str, checkpoint: str, counter: int = 1) -> None:
        """A row of the KCL's."""
        row: dict[str, Any] = {"leaseKey": {"S": shard}, "leaseCounter": {"N": str(counter)}}
        row |= {"checkpoint": {"S": checkpoint}, "leaseOwner": {"S": "worker-1"}}
        self.client.put_item(TableName=self.leases, Item=row)

    def rebuild(self, name: str = "one") -> Rebuild:
        """One run, to be."""
        parts = Parts(
            identity=self.identity,
            application=self.leases,
            client=self.client,
            stream=self.stream,
            players=self.players,
            counts=self.counts,
            progress=self.progress,
            mark=RebuildMark(self.client, self.progress.name, self.identity, name),
            quiet_seconds=QUIET_SECONDS,
            say=self.said.append,
        )
        return Rebuild(parts)

    def differences(self) -> list[Difference]:
        """What the strict audit finds."""
        return Audit(self.players, self.counts).strict()

    def _make_leases(self) -> None:
        self.client.create_table(
            TableName=self.leases,
            KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def _record(record: StreamRecord) -> Record:
    change = record["dynamodb"]
    number = change["SequenceNumber"]
    images = {name: change[name] for name in ("OldImage", "NewImage") if name in change}
    return Record(Position(int(number)), number, orjson.dumps({"dynamodb": images}), 0)
