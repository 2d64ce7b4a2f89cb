"""PlayerState: the same on the fake and on the emulators. Rules and invariants by their numbers."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.model import LevelEvent, PlayerRow
from headcount.settings import Settings
from headcount.snowplow import MAX_LEVEL_BYTES, MAX_PLAYER_BYTES
from headcount.tables.players import PlayerTable
from tests.fakes.emulated import make_tables
from tests.fakes.players import MemoryPlayers

ODD_IDS = ["ünïcødé 🎮", "a/b", "100%", "%2F", " ", "\x00", "'\":level", "null", "0", "a" * MAX_PLAYER_BYTES]


@pytest.fixture
def players(place: DynamoDBClient | None, settings: Settings) -> PlayerTable:
    """An empty table."""
    if place is None:
        return MemoryPlayers()
    make_tables(place, settings, settings.player_table)
    return PlayerTable(place, settings.player_table)


def event(level: str, at: int, player: str = "ann") -> LevelEvent:
    return LevelEvent(player, level, at)


def test_an_unknown_player_has_no_row(players: PlayerTable) -> None:
    assert players.get("nobody") is None


def test_the_first_event_is_written(players: PlayerTable) -> None:
    assert players.apply(event("l1", 5)) is None
    assert players.get("ann") == PlayerRow("l1", 5)


@pytest.mark.parametrize(("level", "at"), [("l1", 6), ("l1", 10**15), ("l2", 5), ("l10", 5), ("a", 6)])
def test_a_greater_event_replaces_the_row(players: PlayerTable, level: str, at: int) -> None:
    players.apply(event("l1", 5))

    assert players.apply(event(level, at)) is None
    assert players.get("ann") == PlayerRow(level, at)


@pytest.mark.parametrize(("level", "at"), [("l1", 5), ("l1", 4), ("z", 4), ("a", 5), ("l0", 5), ("L1", 5)])
def test_an_event_not_greater_changes_nothing_and_shows_the_row(players: PlayerTable, level: str, at: int) -> None:
    players.apply(event("l1", 5))

    assert players.apply(event(level, at)) == PlayerRow("l1", 5)
    assert players.get("ann") == PlayerRow("l1", 5)


def test_any_order_gives_the_greatest_event(players: PlayerTable) -> None:
    """Rule 1; at the same time the level decides, in the order of its UTF-8."""
    events = [("x", 2), ("y", 2), ("ÿ", 2), ("z", 1)]
    for number, order in enumerate(itertools.permutations(events)):
        for level, at in (*order, *order):
            players.apply(event(level, at, f"p{number}"))

    assert {row for _, row in players.all()} == {PlayerRow("ÿ", 2)}


@pytest.mark.parametrize(("lesser", "greater"), [("\uffff", "\U00010000"), ("Z", "a"), ("a", "aa"), ("é", "日")])
def test_python_and_the_table_order_levels_alike(players: PlayerTable, lesser: str, greater: str) -> None:
    assert lesser < greater

    players.apply(event(lesser, 5))
    assert players.apply(event(greater, 5)) is None
    assert players.apply(event(lesser, 5)) == PlayerRow(greater, 5)


@pytest.mark.parametrize("player", ODD_IDS)
@pytest.mark.parametrize("level", ["ünïcødé/%🎮", "l" * MAX_LEVEL_BYTES])
def test_odd_ids_are_kept_as_they_are(players: PlayerTable, player: str, level: str) -> None:
    players.apply(event(level, 5, player))

    assert dict(players.all()) == {player: PlayerRow(level, 5)}
    assert players.delete(player, PlayerRow(level, 5))


@pytest.mark.parametrize("at", [0, -1, -(10**12)])
def test_times_before_the_epoch(players: PlayerTable, at: int) -> None:
    assert players.apply(event("l1", at)) is None
    assert players.get("ann") == PlayerRow("l1", at)


def test_only_the_very_row_that_was_judged_is_deleted(players: PlayerTable) -> None:
    """Rule 6."""
    players.apply(event("l1", 5))

    assert not players.delete("ann", PlayerRow("l1", 4))
    assert not players.delete("ann", PlayerRow("l2", 5))
    assert players.get("ann") == PlayerRow("l1", 5)
    assert players.delete("ann", PlayerRow("l1", 5))
    assert players.get("ann") is None
    assert not players.delete("ann", PlayerRow("l1", 5))


def test_after_a_delete_any_event_is_written(players: PlayerTable) -> None:
    players.apply(event("l1", 5))
    players.delete("ann", PlayerRow("l1", 5))

    assert players.apply(event("l0", 3)) is None


def test_the_idle_of_all_segments_are_those_before_the_cutoff_once_each(players: PlayerTable) -> None:
    for number in range(40):
        players.apply(event("l", number, f"p{number}"))

    found = [player for segment in range(4) for player, _ in players.idle(20, segment, 4)]

    assert sorted(found) == sorted(f"p{number}" for number in range(20))


def test_a_scan_goes_on_beyond_a_page(players: PlayerTable) -> None:
    """A page has 1 MB at most."""
    level, rest = "l" * MAX_LEVEL_BYTES, "p" * (MAX_PLAYER_BYTES - 4)
    assert 700 * (len(level) + 4 + len(rest)) > 2**20
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: players.apply(event(level, n, f"{n:04}{rest}")), range(700)))

    assert sum(1 for _ in players.all()) == 700
    assert sum(1 for _ in players.idle(600, 0, 1)) == 600


def test_racing_writers_leave_the_greatest_event(players: PlayerTable) -> None:
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda at: players.apply(event("l", at)), range(100)))

    assert players.get("ann") == PlayerRow("l", 99)
    assert all(row is None or row.at > at for at, row in enumerate(seen))


def test_a_missing_table_raises(client: DynamoDBClient, settings: Settings) -> None:
    missing = PlayerTable(client, settings.player_table)

    for operation in (
        lambda: missing.apply(event("l1", 5)),
        lambda: missing.get("ann"),
        lambda: missing.delete("ann", PlayerRow("l1", 5)),
        lambda: list(missing.all()),
        lambda: list(missing.idle(5, 0, 1)),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            operation()
