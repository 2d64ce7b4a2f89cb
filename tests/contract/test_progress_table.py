"""StreamProgress: the same on the fake and on the emulators. Invariant I6."""

import re
import time
from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.model import Cutoff, Outcome, PoisonCount, Position, Progress
from headcount.settings import Settings
from headcount.tables import MalformedRowError
from headcount.tables.progress import ProgressTable
from tests.fakes.emulated import make_tables
from tests.fakes.progress import MemoryProgress

WORKER = "consumer/events@1/shardId-000000000000"
KILOBYTE = 1024
NOTHING = Progress()
FULL = Progress(
    position=Position(49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898, 3),
    watermark=5,
    settled=7,
    tallies={"applied": 3, "late": 0},
    arrived_at=8,
    caught_up_at=9,
    seen_at=11,
    updated_at=10,
    ended=True,
    expires_at=11,
    poison=PoisonCount(run=1, minute=29_000_000, records=3, poison=2),
    units=12,
)


@pytest.fixture
def table(place: DynamoDBClient | None, settings: Settings) -> ProgressTable:
    """An empty table."""
    if place is None:
        return MemoryProgress()
    make_tables(place, settings, settings.progress_table)
    return ProgressTable(place, settings.progress_table)


def at(position: int, watermark: int | None = None) -> Progress:
    return Progress(Position(position), watermark)


def test_an_unknown_worker_has_no_row(table: ProgressTable) -> None:
    assert table.read(WORKER) is None


@pytest.mark.parametrize("progress", [NOTHING, FULL, Progress(watermark=-1), Progress(Position(0)), at(10**55, 0)])
def test_what_is_written_is_read(table: ProgressTable, progress: Progress) -> None:
    assert table.move(WORKER, NOTHING, progress)
    assert table.read(WORKER) == progress


def test_the_largest_row_is_written_for_one_unit() -> None:
    """A kilobyte, as DynamoDB reckons it: names and values."""
    most = 10**15
    poison = PoisonCount(run=most, minute=most, records=most, poison=most)
    progress = Progress(
        Position(10**56 - 1, 10**9),
        *(most, most, {outcome.value: most for outcome in Outcome}, most, most, most, most),
        *(True, most, poison, most),
    )
    arguments = ProgressTable(cast("DynamoDBClient", None), "t").moving("x" * 300, NOTHING, progress)
    names = re.findall(r"(\w+) = :", arguments["UpdateExpression"])
    values = list(arguments["ExpressionAttributeValues"].values())
    assert len(names) == len(values)
    assert len("worker") + 300 + sum(map(len, names)) + sum(map(size, values)) < KILOBYTE


def size(value: Any) -> int:
    """Of a value, in bytes, at least as many as it takes: numbers take half a byte for each digit."""
    ((kind, its),) = value.items()
    if kind == "M":
        return 3 + sum(len(name) + size(one) + 1 for name, one in its.items())
    return 1 if kind == "BOOL" else len(its) // 2 + 3 if kind == "N" else len(its)


def test_it_moves_on_from_what_was_read(table: ProgressTable) -> None:
    table.move(WORKER, NOTHING, at(1, 1))

    assert table.move(WORKER, at(1, 1), at(2, 1))
    assert table.read(WORKER) == at(2, 1)


@pytest.mark.parametrize("was", [NOTHING, at(1), at(3), Progress(Position(2, 1))])
def test_it_is_rejected_when_another_writer_moved(table: ProgressTable, was: Progress) -> None:
    table.move(WORKER, NOTHING, at(2, 1))

    assert not table.move(WORKER, was, at(9, 9))
    assert table.read(WORKER) == at(2, 1)


def test_a_row_without_a_position_can_be_begun_twice(table: ProgressTable) -> None:
    """Two workers that both read nothing yet: neither has counted anything."""
    assert table.move(WORKER, NOTHING, Progress(watermark=4))
    assert table.move(WORKER, NOTHING, Progress(watermark=5))
    assert table.move(WORKER, Progress(watermark=5), at(1, 5))
    assert not table.move(WORKER, Progress(watermark=5), at(1, 5))


@pytest.mark.parametrize("watermark", [None, 4, -(10**15)])
def test_a_watermark_never_goes_back(table: ProgressTable, watermark: int | None) -> None:
    table.move(WORKER, NOTHING, at(1, 5))

    assert not table.move(WORKER, at(1), at(2, watermark))
    assert table.read(WORKER) == at(1, 5)


TIMES = Progress(Position(1), 5, settled=7, arrived_at=8, caught_up_at=9, seen_at=11, expires_at=10)


@pytest.mark.parametrize(
    "back",
    [
        replace(TIMES, settled=6),
        replace(TIMES, arrived_at=7),
        replace(TIMES, caught_up_at=8),
        replace(TIMES, seen_at=10),
    ],
)
def test_no_other_time_goes_back_while_the_position_stands(table: ProgressTable, back: Progress) -> None:
    """Two workers on one shard, a renewal waiting: the condition on the position rejects neither."""
    table.move(WORKER, NOTHING, TIMES)

    assert not table.move(WORKER, TIMES, back)
    assert table.read(WORKER) == TIMES
    assert table.move(WORKER, TIMES, replace(TIMES, settled=8, arrived_at=9, caught_up_at=10, seen_at=12))


def test_the_time_of_expiry_may_go_back(table: ProgressTable) -> None:
    """It is by the writer's clock, which may be behind another's."""
    table.move(WORKER, NOTHING, TIMES)

    assert table.move(WORKER, TIMES, replace(TIMES, expires_at=9))
    assert table.read(WORKER) == replace(TIMES, expires_at=9)


def test_what_is_no_longer_known_stays(table: ProgressTable) -> None:
    table.move(WORKER, NOTHING, FULL)

    assert table.move(WORKER, FULL, Progress(position=FULL.position, watermark=5, tallies={"stale": 1}, updated_at=11))
    assert table.read(WORKER) == replace(FULL, tallies={"stale": 1}, updated_at=11, units=0)


def test_workers_are_apart(table: ProgressTable) -> None:
    table.move(WORKER, NOTHING, at(1))

    assert table.move("consumer/events@2/shardId-000000000000", NOTHING, at(7))
    assert table.read(WORKER) == at(1)


def test_all_workers_with_a_prefix_by_the_rest_of_the_name(table: ProgressTable) -> None:
    for worker in ("consumer/a@1/x", "consumer/a@1/y", "consumer/a@10/z", "consumer/a/1", "level_aggregator/a@1/x"):
        table.move(worker, NOTHING, at(1))
    table.publish(stream_time=1, cutoff=1, held_back="", updated_at=1)

    assert table.read_all("consumer/a@1/") == {"x": at(1), "y": at(1)}
    assert table.read_all("nobody/") == {}


def test_some_workers_by_their_names(table: ProgressTable) -> None:
    names = [f"consumer/a@1/{number}" for number in range(130)]  # more than one call of BatchGetItem takes
    for position, name in enumerate(names):
        table.move(name, NOTHING, at(position))

    found = table.read_many([*names[:120], "nobody"])
    assert found == {name: at(position) for position, name in enumerate(names[:120])}
    assert table.read_many([]) == {}


def test_a_fresh_table_has_no_cutoff(table: ProgressTable) -> None:
    assert table.cutoff() == Cutoff()


def test_publish_returns_the_row(table: ProgressTable) -> None:
    expected = Cutoff(cutoff=5, stream_time=7, updated_at=9, held_back="why")

    assert table.publish(stream_time=7, cutoff=5, held_back="why", updated_at=9) == expected
    assert table.cutoff() == expected


@pytest.mark.parametrize(("stream_time", "cutoff"), [(6, 4), (None, None), (7, 5), (-1, -1)])
def test_cutoff_and_stream_time_never_go_back(
    table: ProgressTable, stream_time: int | None, cutoff: int | None
) -> None:
    table.publish(stream_time=7, cutoff=5, held_back="why", updated_at=9)

    now = table.publish(stream_time=stream_time, cutoff=cutoff, held_back="", updated_at=10)

    assert now == Cutoff(cutoff=5, stream_time=7, updated_at=10)


def test_cutoff_and_stream_time_rise_each_for_itself(table: ProgressTable) -> None:
    table.publish(stream_time=7, cutoff=5, held_back="", updated_at=9)

    assert table.publish(stream_time=6, cutoff=6, held_back="", updated_at=9).cutoff == 6
    assert table.publish(stream_time=8, cutoff=1, held_back="", updated_at=9) == Cutoff(6, 8, None, 9)


def test_units_add_up_whoever_tells_of_them(table: ProgressTable) -> None:
    for units in (3, 0, 4):
        table.publish(stream_time=7, cutoff=5, held_back="", updated_at=9, units=units)

    assert table.cutoff().units == 7


def test_completed_never_goes_back(table: ProgressTable) -> None:
    for cutoff in (5, 4, 6, 6):
        table.complete(cutoff)

    assert table.cutoff().completed == 6


def test_positions_stand_padded_in_the_order_of_the_shard(client: DynamoDBClient, settings: Settings) -> None:
    make_tables(client, settings, settings.progress_table)
    table = ProgressTable(client, settings.progress_table)
    positions = [Position(9), Position(9, 2), Position(9, 10), Position(10), Position(10**55)]
    for number, position in enumerate(positions):
        table.move(str(number), NOTHING, Progress(position))
    items = client.scan(TableName=table.name)["Items"]
    texts = [item["sequenceNumber"]["S"] for item in sorted(items, key=lambda item: item["worker"]["S"])]

    assert texts == sorted(texts)


def test_a_missing_table_raises(client: DynamoDBClient, settings: Settings) -> None:
    missing = ProgressTable(client, settings.progress_table)

    for operation in (
        lambda: missing.read(WORKER),
        lambda: missing.read_all("consumer/"),
        lambda: missing.move(WORKER, NOTHING, at(1)),
        missing.cutoff,
        lambda: missing.publish(stream_time=1, cutoff=1, held_back="", updated_at=1),
        lambda: missing.complete(1),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            operation()


def test_who_reads_the_cutoff_learns_the_time_from_dynamodb(place: DynamoDBClient | None, table: ProgressTable) -> None:
    """Rule 6: the clock of our own machine may be wrong."""
    before = time.time() * 1000
    read_at = table.cutoff().read_at

    assert read_at is not None
    assert place is None or before - 5000 < read_at < time.time() * 1000 + 5000


def test_a_cutoff_that_somebody_else_wrote_is_told(client: DynamoDBClient, settings: Settings) -> None:
    make_tables(client, settings, settings.progress_table)
    table = ProgressTable(client, settings.progress_table)
    odd = {"worker": {"S": "pruner/cutoff"}, "watermark": {"S": "x"}}
    client.put_item(TableName=settings.progress_table, Item=odd)

    with pytest.raises(MalformedRowError, match=f"table {settings.progress_table} is not as Headcount writes it"):
        table.cutoff()
