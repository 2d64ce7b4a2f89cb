"""A first start: what PlayerState was when its stream begins, against what LevelState says (rule 7)."""

from collections import Counter

import pytest

from headcount.model import LevelCount, LevelEvent, Transition
from headcount.table_stream import Reading
from level_aggregator.first_start import Remembered, beginning, counted_before, difference
from tests.fakes.clock import Clock
from tests.fakes.players import MemoryPlayers
from tests.fakes.table_stream import MemoryStreamClient, memory_stream


class _Table(MemoryPlayers):
    """PlayerState whose changes from now on show on a stream; ``on_scan`` is called as its rows are read."""

    def __init__(self) -> None:
        super().__init__()
        self.client = MemoryStreamClient()
        self.shard = self.client.begin("a")

    def enter(self, player: str, level: str, at: int = 1, *, shown: bool = True) -> None:
        """A player's next level; ``shown``: on the stream."""
        before = self.rows.get(player)
        self.apply(LevelEvent(player, level, at))
        if shown:
            self.client.put(self.shard, player, before.level if before else None, level)

    def leave(self, player: str) -> None:
        row = self.rows[player]
        self.delete(player, row)
        self.client.put(self.shard, player, row.level, None)

    def beginning(self) -> Counter[str]:
        clock = Clock()
        return beginning(self, Reading(memory_stream(self.client), {}, (), clock, clock.sleep))


def test_a_new_system_begins_with_nothing_though_its_consumer_writes() -> None:
    table = _Table()
    for number in range(9):
        table.enter(f"p{number}", "forest")
    table.enter("p1", "castle", 2)
    table.leave("p2")
    late = ["late 1", "late 2", "late 3"]
    table.client.on_read = lambda: table.enter(late.pop(), "forest") if late else None

    assert table.beginning() == Counter()


def test_a_consumer_that_never_pauses_does_not_hold_it_up() -> None:
    """A record with each read, some of players whom the scan sees first."""
    table, clock = _Table(), Clock()
    numbers = iter(range(10_000))

    def write() -> None:
        clock.now += 0.1
        number = next(numbers)
        table.enter(f"p{number % 50}", "forest", number + 1)

    table.client.on_read = write
    assert beginning(table, Reading(memory_stream(table.client), {}, (), clock, clock.sleep)) == Counter()


def test_rows_from_before_the_stream_are_where_their_first_change_says() -> None:
    table = _Table()
    for player in ("stays", "moves", "moves twice", "leaves", "leaves and returns"):
        table.enter(player, "forest", shown=False)
    table.enter("moves", "castle", 2)
    table.enter("moves twice", "castle", 2)
    table.enter("moves twice", "swamp", 3)
    table.leave("leaves")
    table.leave("leaves and returns")
    table.enter("leaves and returns", "swamp", 2)
    table.enter("new", "forest", 2)

    assert table.beginning() == {"forest": 5}


def test_changes_that_were_trimmed_belong_to_the_beginning() -> None:
    """A stream older than a day: ana came before its horizon, ben after."""
    table = _Table()
    table.enter("ana", "forest")
    table.enter("ana", "castle", 2)
    table.enter("ben", "forest")
    table.client.trim(table.shard, 1)
    assert table.beginning() == {"forest": 1}
    table.client.trim(table.shard, 1)
    assert table.beginning() == {"castle": 1}


def test_children_are_read_after_their_parents() -> None:
    table = _Table()
    table.enter("ana", "forest")
    table.shard = table.client.roll("a", "b")
    table.enter("ana", "castle", 2)
    assert table.beginning() == Counter()


@pytest.mark.parametrize(
    ("begins", "levels", "lost"),
    [
        ({}, {}, False),
        ({}, {"forest": LevelCount(0, 5, 5)}, False),
        ({"forest": 2}, {"forest": LevelCount(2, 5, 3)}, False),
        ({"forest": 2}, {}, True),
        ({}, {"forest": LevelCount(2, 2, 0)}, True),
        ({"forest": 2}, {"castle": LevelCount(2, 2, 0)}, True),
    ],
)
def test_counting_goes_on_from_what_level_state_says_only_if_that_is_right(
    begins: dict[str, int], levels: dict[str, LevelCount], lost: bool
) -> None:
    assert (difference(begins, levels) is not None) == lost


ENTERED, LEFT = Transition(600, None, "forest"), Transition(660, "forest", None)


@pytest.mark.parametrize(
    ("transitions", "levels", "counted"),
    [
        ({}, {}, False),
        ({}, {"forest": LevelCount(1, 1, 0)}, False),  # they expire
        ({ENTERED: 1}, {}, True),
        ({ENTERED: 2}, {"forest": LevelCount(1, 1, 0)}, True),
        ({LEFT: 1}, {"forest": LevelCount(0, 0, 0)}, True),
        ({ENTERED: 2, LEFT: 1}, {"forest": LevelCount(1, 2, 1)}, False),
        ({ENTERED: 2, LEFT: 1}, {"forest": LevelCount(1, 9, 8)}, False),
    ],
)
def test_transitions_that_level_state_does_not_know_were_counted(
    transitions: dict[Transition, int], levels: dict[str, LevelCount], counted: bool
) -> None:
    remembered = Remembered.by(transitions.items())
    found = counted_before(remembered, levels, 10_000_000, is_empty=True)

    assert (found is not None) == counted


@pytest.mark.parametrize(
    ("since", "is_empty", "counted"),
    [
        (600_000, False, False),  # events are stamped up to 5 s after they arrive
        (595_000, False, False),
        (594_999, False, True),
        (594_999, True, False),  # nothing is there to be counted again
    ],
)
def test_entries_after_the_stream_was_made_are_of_that_stream(since: int, is_empty: bool, counted: bool) -> None:
    """All left again, so both sides begin with nobody: the counts say nothing."""
    remembered = Remembered.by([(ENTERED, 1), (LEFT, 1)])
    found = counted_before(remembered, {"forest": LevelCount(0, 1, 1)}, since, is_empty=is_empty)

    assert (found is not None) == counted


def test_who_is_forgotten_leaves_at_a_time_to_come_which_says_nothing() -> None:
    remembered = Remembered.by([(ENTERED, 1), (Transition(6000, "forest", None), 1)])

    assert counted_before(remembered, {"forest": LevelCount(0, 1, 1)}, 600_000, is_empty=False) is None


def test_the_difference_tells_numbers_and_no_player() -> None:
    found = difference({"forest": 2, "castle": 1}, {"forest": LevelCount(2, 2, 0)})
    assert found is not None
    assert found.endswith("where it begins PlayerState has 3 players, LevelState 2; 1 level differs")
