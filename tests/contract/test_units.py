"""Every emulator says what a call consumes, as DynamoDB bills it."""

from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.aws_units import count_units
from headcount.model import LevelEvent, Position, Progress, Transition
from headcount.process_metrics import AwsMetrics
from headcount.settings import Settings
from headcount.tables.counts import CountTables, Net
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from tests.fakes.emulated import make_tables

MINUTE = 1_700_049_600


@pytest.fixture
def counted(client: DynamoDBClient, settings: Settings) -> AwsMetrics:
    """The counts of a client whose tables are there."""
    names = (settings.player_table, settings.level_table, settings.transitions_table, settings.progress_table)
    make_tables(client, settings, *names)
    metrics = AwsMetrics()
    count_units(client.meta.events, metrics)
    return metrics


def units(metrics: AwsMetrics, kind: str) -> dict[str, float]:
    def found() -> Iterator[tuple[str, float]]:
        for family in metrics.registry.collect():
            for sample in family.samples:
                if sample.name == f"headcount_dynamodb_{kind}_units_total":
                    yield sample.labels["table"], sample.value

    return dict(found())


def test_a_write_a_failed_condition_and_a_consistent_read_are_a_unit_each(
    client: DynamoDBClient, settings: Settings, counted: AwsMetrics
) -> None:
    players = PlayerTable(client, settings.player_table)
    event = LevelEvent("ann", "A", MINUTE)

    assert players.apply(event) is None
    assert players.apply(event) is not None
    assert players.get("ann") is not None

    assert units(counted, "write") == {settings.player_table: 2}
    assert units(counted, "read") == {settings.player_table: 1}


def test_each_write_of_a_batch_is_a_unit_whatever_became_of_it(
    client: DynamoDBClient, settings: Settings, counted: AwsMetrics
) -> None:
    """Of the missing row's, the statement in vain and the write that made it."""
    players = PlayerTable(client, settings.player_table)
    for name in ("ann", "bob"):
        players.apply(LevelEvent(name, "A", MINUTE))
    before = units(counted, "write")[settings.player_table]

    players.apply_all([LevelEvent("ann", "B", MINUTE + 1), LevelEvent("bob", "A", MINUTE)])
    assert units(counted, "write") == {settings.player_table: before + 2}

    players.apply_all([LevelEvent("ann", "C", MINUTE + 2), LevelEvent("eve", "A", MINUTE)])
    assert units(counted, "write") == {settings.player_table: before + 5}


def test_an_aggregators_transaction_tells_of_each_table(
    client: DynamoDBClient, settings: Settings, counted: AwsMetrics
) -> None:
    net = Net()
    net.add(Transition(MINUTE, "A", "B"))
    counts = CountTables(client, settings.level_table, settings.transitions_table, 3600)
    progress = ProgressTable(client, settings.progress_table)

    counts.apply(net, progress, "w", Progress(), Progress(position=Position(1)))

    # How much, not every emulator gets right: DynamoDB Local 2.6.1 has one figure for all tables of a transaction.
    told = units(counted, "write")
    assert told.keys() == {settings.level_table, settings.transitions_table, settings.progress_table}
    assert told[settings.level_table] == 4
