"""LevelHistory: the same on the fake and on the emulators."""

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.model import Average
from headcount.settings import Settings
from headcount.snowplow import MAX_LEVEL_BYTES
from headcount.tables import MalformedRowError
from headcount.tables.history import TOTAL, HistoryTable, ThrottledError
from tests.contract.conftest import EMULATORS, client_of
from tests.fakes.emulated import make_tables
from tests.fakes.history import MemoryHistory

MINUTE = 1_750_000_020
RETENTION = 604_800
FOREST, CAVE = Average(12.345, 3), Average(0.017, 1)


def real(client: DynamoDBClient, settings: Settings) -> HistoryTable:
    make_tables(client, settings, settings.history_table)
    return HistoryTable(client, settings.history_table, RETENTION, lambda _: None)


@pytest.fixture(params=("memory", *EMULATORS))
def table(request: pytest.FixtureRequest, clients: dict[str, DynamoDBClient], settings: Settings) -> HistoryTable:
    """An empty one."""
    if request.param == "memory":
        return MemoryHistory()
    return real(client_of(request.param, request, clients), settings)


def test_an_empty_table_has_seen_nothing(table: HistoryTable) -> None:
    assert table.seen(0, MINUTE) == set()
    assert table.averages("forest", 0, MINUTE) == {}


def test_what_is_written_is_read(table: HistoryTable) -> None:
    table.write(MINUTE, {"forest": FOREST, "cave": CAVE})
    table.write(MINUTE + 60, {"forest": CAVE})
    table.write(MINUTE + 120, {})

    assert table.seen(MINUTE, MINUTE + 600) == {MINUTE, MINUTE + 60, MINUTE + 120}
    assert table.averages("forest", MINUTE, MINUTE + 120) == {MINUTE: FOREST, MINUTE + 60: CAVE}
    assert table.averages("cave", MINUTE, MINUTE + 120) == {MINUTE: CAVE}


def test_a_range_has_both_its_ends(table: HistoryTable) -> None:
    for number in range(5):
        table.write(MINUTE + 60 * number, {"forest": Average(number + 1, 1)})

    first, last = MINUTE + 60, MINUTE + 180
    assert table.seen(first, last) == {first, first + 60, last}
    assert table.averages("forest", first, last) == {first: (2, 1), first + 60: (3, 1), last: (4, 1)}


def test_a_minute_can_be_written_again(table: HistoryTable) -> None:
    for average in (CAVE, FOREST, FOREST):
        table.write(MINUTE, {"forest": average})

    assert table.averages("forest", MINUTE, MINUTE) == {MINUTE: FOREST}
    assert table.seen(MINUTE, MINUTE) == {MINUTE}


@pytest.mark.parametrize("levels", [1, 24, 25, 26, 130])
def test_more_levels_than_one_call_takes(table: HistoryTable, levels: int) -> None:
    table.write(MINUTE, {f"level-{number}": Average(number + 0.5, 1) for number in range(levels)})

    for number in {0, levels // 2, levels - 1}:
        assert table.averages(f"level-{number}", MINUTE, MINUTE) == {MINUTE: (number + 0.5, 1)}


@pytest.mark.parametrize("level", ["/", "%2F", "a/b", "%", " ", "ünïcødé 🎮", "level", "é" * (MAX_LEVEL_BYTES // 2)])
def test_odd_levels_are_apart_and_none_is_the_total(table: HistoryTable, level: str) -> None:
    table.write(MINUTE, {level: FOREST, "b": CAVE})
    table.write(MINUTE + 60, {"b": CAVE})

    assert table.averages(level, MINUTE, MINUTE + 60) == {MINUTE: FOREST}
    assert table.averages("b", MINUTE, MINUTE + 60) == {MINUTE: CAVE, MINUTE + 60: CAVE}


def test_a_week_of_minutes_is_read(client: DynamoDBClient, settings: Settings) -> None:
    """More than one page of a query holds where ids are long."""
    table, level = real(client, settings), "x" * MAX_LEVEL_BYTES
    minutes = [MINUTE + 60 * number for number in range(3000)]
    for first in range(0, len(minutes), 25):
        rows = [table._row(level, minute, FOREST) for minute in minutes[first : first + 25]]
        table._put(rows)

    assert table.averages(level, minutes[0], minutes[-1]) == dict.fromkeys(minutes, FOREST)


def test_the_rows(client: DynamoDBClient, settings: Settings) -> None:
    real(client, settings).write(MINUTE, {"a/b": FOREST, "cave": CAVE})

    rows = client.scan(TableName=settings.history_table)["Items"]
    expires = {"N": str(MINUTE + RETENTION)}
    assert {row["level"]["S"]: row for row in rows} == {
        "a%2Fb": _row("a%2Fb", "12.345", "3", expires),
        "cave": _row("cave", "0.017", "1", expires),
        TOTAL: _row(TOTAL, "12.362", "0", expires),
    }


def _row(level: str, players: str, least: str, expires: dict[str, str]) -> dict[str, Any]:
    key = {"level": {"S": level}, "minute": {"S": "1750000020"}}
    return {**key, "players": {"N": players}, "least": {"N": least}, "expiresAt": expires}


class Busy:
    """A client whose DynamoDB leaves the last item of each batch over, ``times`` times; it keeps what it did not."""

    def __init__(self, times: int) -> None:
        self.times, self.kept = times, list[str]()

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """As boto3's."""
        ((name, asked),) = RequestItems.items()
        left = asked[-1:] if self.times else []
        self.times -= bool(left)
        self.kept += [one["PutRequest"]["Item"]["level"]["S"] for one in asked[: len(asked) - len(left)]]
        return {"UnprocessedItems": {name: left} if left else {}}


def test_what_dynamodb_leaves_over_is_sent_again_and_the_total_comes_last() -> None:
    slept: list[float] = []
    busy = Busy(times=3)
    HistoryTable(cast("DynamoDBClient", busy), "LevelHistory", RETENTION, slept.append).write(
        MINUTE, {f"level-{number:02}": FOREST for number in range(30)}
    )
    assert sorted(busy.kept) == [TOTAL, *(f"level-{number:02}" for number in range(30))]
    assert busy.kept[-1] == TOTAL
    assert len(slept) == 3
    assert sorted(slept) == slept


def test_a_table_that_stays_throttled_raises_and_the_minute_is_not_seen() -> None:
    busy = Busy(times=1000)
    table = HistoryTable(cast("DynamoDBClient", busy), "LevelHistory", RETENTION, lambda _: None)

    with pytest.raises(ThrottledError, match="LevelHistory left rows of a batch over"):
        table.write(MINUTE, {"forest": FOREST, "cave": CAVE})
    assert TOTAL not in busy.kept


def test_a_missing_table_raises(client: DynamoDBClient, settings: Settings) -> None:
    missing = HistoryTable(client, settings.history_table, RETENTION)

    for operation in (
        lambda: missing.seen(0, MINUTE),
        lambda: missing.averages("forest", 0, MINUTE),
        lambda: missing.write(MINUTE, {}),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            operation()


def test_a_row_that_somebody_else_wrote_is_told(client: DynamoDBClient, settings: Settings) -> None:
    table = real(client, settings)
    odd = {"level": {"S": "forest"}, "minute": {"S": str(MINUTE)}, "players": {"N": "3"}}
    client.put_item(TableName=settings.history_table, Item=odd)

    with pytest.raises(MalformedRowError, match=f"table {settings.history_table} is not as Headcount writes it"):
        table.averages("forest", MINUTE, MINUTE)
