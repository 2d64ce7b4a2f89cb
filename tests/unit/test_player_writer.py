"""The consumer's writes of a batch: as few calls as they fit into, in order for one player (rules 1, 2)."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from consumer.ledger import Entry
from consumer.roster import Noted, Roster
from consumer.writing import PlayerWriter
from headcount.metrics import ConsumerMetrics
from headcount.model import LevelEvent, Outcome, PlayerRow
from headcount.tables.players import MOST_STATEMENTS
from tests.fakes.inline import InlineExecutor
from tests.fakes.players import MemoryPlayers

SECONDS = 60  # no more than that until the second one begins, too


class Players(MemoryPlayers):
    """Notes the calls."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self._meanwhile = meanwhile

    def apply(self, event: LevelEvent) -> PlayerRow | None:
        """A call of one."""
        self.calls.append([event.player])
        return super().apply(event)

    def apply_all(self, events: Sequence[LevelEvent]) -> list[PlayerRow | None]:
        """A call of some."""
        self.calls.append([event.player for event in events])
        self._meanwhile()
        return [super(Players, self).apply(event) for event in events]


class Work:
    """A roster and a writer."""

    def __init__(self, players: Players | None = None, executor: Executor | None = None) -> None:
        self.players = players or Players()
        self.registry = CollectorRegistry()
        self._roster = Roster(60.0)
        executor = executor or InlineExecutor()
        self._writer = PlayerWriter(self.players, executor, ConsumerMetrics(self.registry))

    def write(self, *events: tuple[str, str, int]) -> tuple[dict[str, int], list[Outcome | None]]:
        """What was made, and what became of the events."""
        entries = [Entry(str(number), 0, 0, at) for number, (_, _, at) in enumerate(events)]
        noted: list[Noted] = [(LevelEvent(*event), entry) for event, entry in zip(events, entries, strict=True)]
        made = self._writer.write(self._roster.take(noted, set(), 0.0))
        return dict(made), [entry.outcome for entry in entries]


def everybody(level: str, at: int, players: int = 2 * MOST_STATEMENTS + 3) -> list[tuple[str, str, int]]:
    return [(f"p{number}", level, at) for number in range(players)]


def test_unknown_players_are_written_alone_and_known_ones_together() -> None:
    work = Work()
    work.write(*everybody("A", 1))
    assert [len(call) for call in work.players.calls] == [1] * 53
    work.players.calls.clear()

    assert work.write(*everybody("B", 2), ("new", "B", 2))[0] == {"changes_written": 54}

    assert [len(call) for call in work.players.calls] == [25, 25, 3, 1]
    assert set(work.players.rows.values()) == {PlayerRow("B", 2)}


def test_a_players_changes_are_written_in_order_and_one_per_call() -> None:
    work = Work()
    made, outcomes = work.write(
        *[event for at in range(4) for event in everybody(f"level-{at}", at, 30)], ("p7", "last", 9)
    )

    assert made == {"changes_written": 121}
    assert set(outcomes) == {Outcome.APPLIED}
    for player in ("p0", "p7"):
        times = [event.at for event in work.players.applied if event.player == player]
        assert all(earlier < later for earlier, later in pairwise(times))
    assert [len(call) for call in work.players.calls] == [1] * 30 + [25, 5] * 3 + [1]


def test_each_is_told_what_came_of_its_own_write() -> None:
    """Another shard's worker has written meanwhile."""
    work = Work()
    work.write(*everybody("A", 1, 3))
    work.players.rows["p1"] = PlayerRow("Z", 9)

    made, outcomes = work.write(("p0", "B", 2), ("p1", "B", 2), ("p2", "B", 2), ("p1", "C", 10))

    assert made == {"changes_written": 3, "changes_stale": 1}
    assert outcomes == [Outcome.APPLIED, Outcome.STALE, Outcome.APPLIED, Outcome.APPLIED]
    assert work.players.rows["p1"] == PlayerRow("C", 10)


def test_batches_are_under_way_at_once() -> None:
    together = Barrier(2)
    players = Players(lambda: together.wait(SECONDS))
    with ThreadPoolExecutor(2) as pool:
        work = Work(players, pool)
        work.write(*everybody("A", 1, 50))
        assert work.write(*everybody("B", 2, 50))[0] == {"changes_written": 50}


def test_what_a_call_raises_comes_through() -> None:
    def refuse() -> None:
        raise TimeoutError

    work = Work(Players(refuse))
    work.write(("ann", "A", 1))

    with pytest.raises(TimeoutError):
        work.write(("ann", "B", 2))


def test_writes_and_calls_are_counted() -> None:
    work = Work()
    work.write(*everybody("A", 1, 26))
    work.write(*everybody("B", 2, 26))

    def value(name: str, **labels: str) -> float:
        return cast("float", work.registry.get_sample_value(name, labels))

    assert value("headcount_consumer_player_writes_total", kind="change", result="written") == 52
    assert value("headcount_consumer_write_duration_seconds_count") == 28
