"""PlayerState's stream on the emulators: what is listed, and that reading goes on where it stopped."""

import time
from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.model import LevelEvent, PlayerRow, Position
from headcount.settings import Settings
from headcount.table_stream import Reading, StreamRecord, TableStream
from headcount.tables.players import PlayerTable
from tests.fakes.emulated import make_tables, streams

QUIET_SECONDS = 0.4
HOUR_MS = 3_600_000


@pytest.fixture
def players(client: DynamoDBClient, settings: Settings) -> PlayerTable:
    """An empty table."""
    make_tables(client, settings, settings.player_table)
    return PlayerTable(client, settings.player_table)


@pytest.fixture
def stream(client: DynamoDBClient, players: PlayerTable) -> Iterator[TableStream]:
    """The table's."""
    arn = client.describe_table(TableName=players.name)["Table"]["LatestStreamArn"]
    reader = streams(client.meta.endpoint_url)
    yield TableStream(reader, arn)
    reader.close()


def test_changes_come_with_both_images_and_once(players: PlayerTable, stream: TableStream) -> None:
    reading = Reading(stream, {})
    records: list[StreamRecord] = []
    assert reading.until_quiet(QUIET_SECONDS, records.extend) == 0
    for level, at in (("forest", 1), ("castle", 2)):
        players.apply(LevelEvent("ana", level, at))

    assert reading.until_quiet(QUIET_SECONDS, records.extend) == 2
    assert reading.until_quiet(QUIET_SECONDS, records.extend) == 0
    levels = [
        [record["dynamodb"].get(name, {}).get("levelId", {}).get("S") for name in ("OldImage", "NewImage")]
        for record in records
    ]
    assert levels == [[None, "forest"], ["forest", "castle"]]
    assert {record["dynamodb"]["Keys"]["playerId"]["S"] for record in records} == {"ana"}


def test_what_a_batch_of_statements_changes_comes_as_well(players: PlayerTable, stream: TableStream) -> None:
    """MiniStack's own main keeps it from the stream."""
    reading = Reading(stream, {})
    for name in ("ana", "ben"):
        players.apply(LevelEvent(name, "forest", 1))
    assert reading.until_quiet(QUIET_SECONDS) == 2

    records: list[StreamRecord] = []
    batch = [LevelEvent("ana", "castle", 2), LevelEvent("ben", "forest", 2), LevelEvent("ben", "castle", 1)]
    assert players.apply_all(batch[:2]) == [None, None]
    assert players.apply_all(batch[2:]) == [PlayerRow("forest", 2)]
    assert reading.until_quiet(QUIET_SECONDS, records.extend) == 2
    images = [[record["dynamodb"][image]["levelId"]["S"] for image in ("OldImage", "NewImage")] for record in records]
    assert sorted(images) == [["forest", "castle"], ["forest", "forest"]]


def test_another_reading_goes_on_after_the_position(players: PlayerTable, stream: TableStream) -> None:
    first = Reading(stream, {})
    for number in range(3):
        players.apply(LevelEvent(f"p{number}", "forest", 1))
    assert first.until_quiet(QUIET_SECONDS) == 3
    players.apply(LevelEvent("late", "forest", 1))

    again = Reading(stream, first.positions)
    assert again.until_quiet(QUIET_SECONDS) == 1
    assert Reading(stream, again.positions).until_quiet(QUIET_SECONDS) == 0


def test_nothing_was_trimmed_of_what_is_there(players: PlayerTable, stream: TableStream) -> None:
    reading = Reading(stream, {})
    for number in range(2):
        players.apply(LevelEvent(f"p{number}", "forest", 1))
    reading.until_quiet(QUIET_SECONDS)
    [shard] = stream.listing().shards
    position = reading.positions[shard.shard_id]
    assert position is not None

    assert not stream.is_trimmed(shard, position)
    assert not stream.is_trimmed(shard, None)
    now = round(time.time() * 1000)
    for tomorrow in (0, 25 * HOUR_MS):
        assert not stream.is_lost(shard.shard_id, position, now + tomorrow)
        assert not stream.is_lost(shard.shard_id, None, now + tomorrow)
    assert stream.is_lost("shardId-00000000000000000000-gone0000", Position(1), now)
    assert stream.listing().created_at > 1_700_000_000_000
