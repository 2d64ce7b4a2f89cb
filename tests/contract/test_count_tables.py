"""LevelState and Transitions: the same on the fake and on the emulators. Rule 7."""

from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.model import LevelCount, Position, Progress, Transition
from headcount.settings import Settings
from headcount.snowplow import MAX_LEVEL_BYTES
from headcount.tables.counts import MOST_ITEMS, CountTables, Net
from headcount.tables.progress import ProgressTable
from tests.fakes.counts import MemoryCounts
from tests.fakes.emulated import make_tables
from tests.fakes.progress import MemoryProgress

WORKER = "level_aggregator/PlayerState@1/shardId-0"
RETENTION = 3600
NOTHING = Progress()
ONE = Progress(Position(1), updated_at=1)
TWO = Progress(Position(2), updated_at=2)


@dataclass(frozen=True)
class Tables:
    """What one transaction writes to."""

    counts: CountTables
    progress: ProgressTable

    def apply(self, net: Net, was: Progress, now: Progress) -> None:
        """One transaction."""
        self.counts.apply(net, self.progress, WORKER, was, now)

    def transitions(self) -> dict[Transition, int]:
        """All that are kept."""
        return dict(self.counts.transitions())


def real(client: DynamoDBClient, settings: Settings) -> Tables:
    counts = CountTables(client, settings.level_table, settings.transitions_table, RETENTION)
    return Tables(counts, ProgressTable(client, settings.progress_table))


@pytest.fixture
def tables(place: DynamoDBClient | None, settings: Settings) -> Tables:
    """Empty tables."""
    if place is None:
        return Tables(MemoryCounts(), MemoryProgress())
    make_tables(place, settings, settings.level_table, settings.transitions_table, settings.progress_table)
    return real(place, settings)


def net_of(*moves: tuple[str | None, str | None], period: int = 60) -> Net:
    net = Net()
    for source, target in moves:
        net.add(Transition(period, source, target))
    return net


def test_empty_tables_hold_nothing(tables: Tables) -> None:
    assert tables.counts.levels() == {}
    assert tables.transitions() == {}


def test_a_transaction_writes_levels_transitions_and_progress(tables: Tables) -> None:
    tables.apply(net_of((None, "a"), (None, "a"), ("a", "b"), ("b", None)), NOTHING, ONE)

    assert tables.counts.levels() == {"a": LevelCount(1, 2, 1), "b": LevelCount(0, 1, 1)}
    assert tables.transitions() == {
        Transition(60, None, "a"): 2,
        Transition(60, "a", "b"): 1,
        Transition(60, "b", None): 1,
    }
    assert tables.progress.read(WORKER) == ONE


def test_transactions_add_up(tables: Tables) -> None:
    tables.apply(net_of((None, "a"), (None, "a")), NOTHING, ONE)
    tables.apply(net_of(("a", "b")), ONE, TWO)
    tables.apply(net_of((None, "a"), period=120), TWO, Progress(Position(3)))

    assert tables.counts.levels() == {"a": LevelCount(2, 3, 1), "b": LevelCount(1, 1, 0)}
    assert tables.transitions()[Transition(60, None, "a")] == 2
    assert tables.transitions()[Transition(120, None, "a")] == 1


def test_the_moves_of_a_minute_whatever_bucket_they_are_in(tables: Tables) -> None:
    levels = [f"level-{number}" for number in range(20)]
    tables.apply(net_of(*((None, level) for level in levels), ("level-0", None), ("a/b", "%")), NOTHING, ONE)
    tables.apply(net_of((None, "level-0"), period=120), ONE, TWO)

    expected = {(None, level): 1 for level in levels} | {("level-0", None): 1, ("a/b", "%"): 1}
    assert tables.counts.transitions_of(60) == expected
    assert tables.counts.transitions_of(120) == {(None, "level-0"): 1}
    assert tables.counts.transitions_of(180) == {}


def test_a_level_that_is_left_before_it_is_entered(tables: Tables) -> None:
    """One player's changes lie in one shard, but nothing says so of two players'."""
    tables.apply(net_of(("a", None)), NOTHING, ONE)

    assert tables.counts.levels() == {"a": LevelCount(-1, 0, 1)}


@pytest.mark.parametrize("was", [NOTHING, TWO, Progress(Position(1, 1))])
def test_nothing_is_written_when_another_writer_moved(tables: Tables, was: Progress) -> None:
    tables.apply(net_of((None, "a")), NOTHING, ONE)

    with pytest.raises(ClientError, match="TransactionCanceledException") as caught:
        tables.apply(net_of(("a", "b")), was, TWO)

    reasons = caught.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["ConditionalCheckFailed", "None", "None", "None"]
    assert tables.counts.levels() == {"a": LevelCount(1, 1, 0)}
    assert tables.transitions() == {Transition(60, None, "a"): 1}
    assert tables.progress.read(WORKER) == ONE


def test_the_same_transaction_twice_counts_once(tables: Tables) -> None:
    """The answer to the first was lost."""
    tables.apply(net_of((None, "a")), NOTHING, ONE)

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        tables.apply(net_of((None, "a")), NOTHING, ONE)

    assert tables.counts.levels() == {"a": LevelCount(1, 1, 0)}


def test_a_transaction_of_exactly_as_many_items_as_fit(tables: Tables) -> None:
    net = Net()
    wanted = [Transition(60 * n, None, f"l{n}") for n in range((MOST_ITEMS - 1) // 2)]
    wanted.append(Transition(0, None, "l1"))
    for move in wanted:
        assert net.items_with(move) <= MOST_ITEMS
        net.add(move)
    assert 1 + len(net.levels) + len(net.transitions) == MOST_ITEMS

    tables.apply(net, NOTHING, ONE)

    assert tables.transitions() == dict.fromkeys(wanted, 1)
    assert sum(row.players for row in tables.counts.levels().values()) == len(wanted)


def test_one_more_item_is_refused(tables: Tables) -> None:
    net = net_of(*((None, f"l{n}") for n in range(MOST_ITEMS // 2)))
    assert 1 + len(net.levels) + len(net.transitions) == MOST_ITEMS + 1

    with pytest.raises(ClientError, match="ValidationException"):
        tables.apply(net, NOTHING, ONE)

    assert tables.progress.read(WORKER) is None


ODD_LEVELS = ["a/b", "a%2Fb", "%", "/", "ünïcødé 🎮", "left", " ", "é" * (MAX_LEVEL_BYTES // 2)]


@pytest.mark.parametrize("level", ODD_LEVELS)
def test_odd_levels_are_kept_as_they_are(tables: Tables, level: str) -> None:
    tables.apply(net_of((None, level), (level, "a/b"), ("a/b", level)), NOTHING, ONE)

    assert tables.counts.levels()[level].entered == (3 if level == "a/b" else 2)
    assert Transition(60, None, level) in tables.transitions()


def test_the_longest_levels_fit_into_a_key(tables: Tables) -> None:
    """511 bytes as the reader counts them: a slash or a percent sign takes three."""
    slashes = "/" * (MAX_LEVEL_BYTES // 3) + "a" * (MAX_LEVEL_BYTES % 3)
    plain = "a" * MAX_LEVEL_BYTES
    tables.apply(net_of((slashes, plain), (plain, slashes)), NOTHING, ONE)

    assert tables.transitions() == {Transition(60, slashes, plain): 1, Transition(60, plain, slashes): 1}


def test_a_slash_in_a_level_makes_no_other_transition(tables: Tables) -> None:
    moves: list[tuple[str | None, str | None]] = [
        ("a/b", "c"),
        ("a", "b/c"),
        ("a%2Fb", "c"),
        (None, "a/"),
        ("/a", None),
    ]
    tables.apply(net_of(*moves), NOTHING, ONE)

    assert set(tables.transitions().values()) == {1}
    assert len(tables.transitions()) == len(moves)


def test_transitions_expire_after_the_retention(client: DynamoDBClient, settings: Settings) -> None:
    make_tables(client, settings, settings.level_table, settings.transitions_table, settings.progress_table)
    real(client, settings).apply(net_of((None, "a"), period=120), NOTHING, ONE)

    [item] = client.scan(TableName=settings.transitions_table)["Items"]

    assert item["expiresAt"] == {"N": str(120 + RETENTION)}
    assert item["bucket"]["S"].startswith("120#")
    assert item["transition"] == {"S": "/a"}
    assert "levelFrom" not in item


@pytest.mark.parametrize("missing", ["level_table", "transitions_table", "progress_table"])
def test_a_missing_table_raises(client: DynamoDBClient, settings: Settings, missing: str) -> None:
    names = {settings.level_table, settings.transitions_table, settings.progress_table} - {getattr(settings, missing)}
    make_tables(client, settings, *names)

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        real(client, settings).apply(net_of((None, "a")), NOTHING, ONE)
