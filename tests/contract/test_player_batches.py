"""Batches of writes of PlayerState: each statement for itself, on the fakes and on the emulators (rule 1)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.model import LevelEvent, PlayerRow
from headcount.settings import Settings
from headcount.snowplow import MAX_LEVEL_BYTES, MAX_PLAYER_BYTES
from headcount.tables.players import MOST_STATEMENTS, PlayerTable
from tests.fakes.emulated import make_tables
from tests.fakes.players import MemoryPlayers

ODD_IDS = ["ünïcødé 🎮", "?", '"', "' OR 1 = 1 --", "\x00", ":at", "a" * MAX_PLAYER_BYTES]


@pytest.fixture
def players(place: DynamoDBClient | None, settings: Settings) -> PlayerTable:
    """An empty table."""
    if place is None:
        return MemoryPlayers()
    make_tables(place, settings, settings.player_table)
    return PlayerTable(place, settings.player_table)


def filled(players: PlayerTable, *names: str) -> PlayerTable:
    """Each of them in level m at 5."""
    for name in names:
        assert players.apply(LevelEvent(name, "m", 5)) is None
    return players


@pytest.mark.parametrize(("level", "at"), [("m", 6), ("m", 10**15), ("n", 5), ("m1", 5), ("a", 6), ("z", 6)])
def test_a_greater_event_replaces_the_row(players: PlayerTable, level: str, at: int) -> None:
    assert filled(players, "ann").apply_all([LevelEvent("ann", level, at)]) == [None]
    assert players.get("ann") == PlayerRow(level, at)


@pytest.mark.parametrize(("level", "at"), [("m", 5), ("m", 4), ("z", 4), ("a", 5), ("M", 5), ("a", -1)])
def test_an_event_not_greater_changes_nothing_and_shows_the_row(players: PlayerTable, level: str, at: int) -> None:
    assert filled(players, "ann").apply_all([LevelEvent("ann", level, at)]) == [PlayerRow("m", 5)]
    assert players.get("ann") == PlayerRow("m", 5)


@pytest.mark.parametrize(("lesser", "greater"), [("\uffff", "\U00010000"), ("Z", "a"), ("a", "aa"), ("é", "日")])
def test_python_and_statements_order_levels_alike(players: PlayerTable, lesser: str, greater: str) -> None:
    players.apply(LevelEvent("ann", lesser, 5))

    assert players.apply_all([LevelEvent("ann", greater, 5)]) == [None]
    assert players.apply_all([LevelEvent("ann", lesser, 5)]) == [PlayerRow(greater, 5)]


def test_each_of_a_batch_is_judged_by_itself_and_a_missing_row_is_made(players: PlayerTable) -> None:
    filled(players, "newer", "older", "same", "tie")

    seen = players.apply_all(
        [
            LevelEvent("newer", "a", 6),
            LevelEvent("missing", "x", 1),
            LevelEvent("older", "z", 4),
            LevelEvent("same", "m", 5),
            LevelEvent("tie", "n", 5),
        ]
    )

    assert seen == [None, None, PlayerRow("m", 5), PlayerRow("m", 5), None]
    assert dict(players.all()) == {
        "newer": PlayerRow("a", 6),
        "missing": PlayerRow("x", 1),
        "older": PlayerRow("m", 5),
        "same": PlayerRow("m", 5),
        "tie": PlayerRow("n", 5),
    }


def test_a_batch_sent_twice_finds_its_own_rows(players: PlayerTable) -> None:
    """What a lost answer leads to: as of a single write, the second time shows the event itself."""
    batch = [LevelEvent(name, "z", 9) for name in ("ann", "bob")]
    assert filled(players, "ann", "bob").apply_all(batch) == [None, None]
    assert players.apply_all(batch) == [PlayerRow("z", 9)] * 2
    assert [players.apply(event) for event in batch] == [PlayerRow("z", 9)] * 2


def test_odd_ids_are_kept_as_they_are(players: PlayerTable) -> None:
    filled(players, *ODD_IDS)
    level = "ünïcødé/%?'\"🎮"

    assert players.apply_all([LevelEvent(player, level, 6) for player in ODD_IDS]) == [None] * len(ODD_IDS)
    assert dict(players.all()) == dict.fromkeys(ODD_IDS, PlayerRow(level, 6))


def test_a_full_batch_of_the_largest_rows_is_taken(players: PlayerTable) -> None:
    names = [f"{number:04}".ljust(MAX_PLAYER_BYTES, "p") for number in range(MOST_STATEMENTS)]
    level = "l" * MAX_LEVEL_BYTES
    assert players.apply_all([LevelEvent(name, level, 5) for name in names]) == [None] * MOST_STATEMENTS
    assert players.apply_all([LevelEvent(name, level, 6) for name in names]) == [None] * MOST_STATEMENTS


def test_racing_batches_leave_the_greatest_event_of_each(players: PlayerTable) -> None:
    names = [f"p{number}" for number in range(MOST_STATEMENTS)]
    filled(players, *names)

    def batch(at: int) -> list[PlayerRow | None]:
        order = names if at % 2 else names[::-1]
        return players.apply_all([LevelEvent(name, "l", at) for name in order])

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(batch, range(6, 36)))

    assert dict(players.all()) == dict.fromkeys(names, PlayerRow("l", 35))
    assert all(row is None or row.at > at for at, rows in enumerate(seen, start=6) for row in rows)


def test_more_than_a_batch_can_hold_is_refused(client: DynamoDBClient, settings: Settings) -> None:
    make_tables(client, settings, settings.player_table)
    players = PlayerTable(client, settings.player_table)

    with pytest.raises(ClientError, match="ValidationException"):
        players.apply_all([LevelEvent(f"p{number}", "l", 5) for number in range(MOST_STATEMENTS + 1)])


def test_a_missing_table_raises(client: DynamoDBClient, settings: Settings) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        PlayerTable(client, settings.player_table).apply_all([LevelEvent("ann", "l", 5), LevelEvent("bob", "l", 5)])
