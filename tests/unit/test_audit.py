"""What breaks I1, I2 and I4, and when a live audit says so (rule 9)."""

from collections.abc import Mapping

import pytest

from headcount.audit import RECOUNTS, SPACING_SECONDS, Audit, Difference, Moves, differences
from headcount.model import LevelCount, LevelEvent, Progress, Transition
from headcount.tables.counts import Net
from tests.fakes.clock import Clock
from tests.fakes.counts import MemoryCounts
from tests.fakes.players import MemoryPlayers
from tests.fakes.progress import MemoryProgress

IN, OUT = Transition(60, None, "a"), Transition(60, "a", None)


def moves(transitions: Mapping[Transition, int]) -> Moves:
    return Moves.of(transitions.items())


def test_empty_tables_have_no_difference() -> None:
    assert differences({}, {}, Moves()) == []


def test_a_level_that_all_have_left_needs_no_players() -> None:
    assert differences({}, {"a": LevelCount(0, 3, 3)}, moves({IN: 3, OUT: 3}), none_expired=True) == []


@pytest.mark.parametrize(
    ("recount", "level", "transitions", "expected"),
    [
        ({"a": 2}, LevelCount(1, 1, 0), {IN: 1}, [Difference("I1", "a", "playerCount", 1, 2)]),
        ({}, LevelCount(1, 1, 0), {IN: 1}, [Difference("I1", "a", "playerCount", 1, 0)]),
        ({"a": 1}, None, {}, [Difference("I1", "a", "playerCount", 0, 1)]),
        (
            {},
            LevelCount(-1, 0, 1),
            {OUT: 1},
            [Difference("I1", "a", "playerCount", -1, 0), Difference("I2", "a", "playerCount", -1, 0)],
        ),
        ({"a": 2}, LevelCount(2, 1, 0), {IN: 1}, [Difference("I4", "a", "entered - left", 1, 2)]),
        ({"a": 1}, LevelCount(1, 1, 0), {IN: 2}, [Difference("I4", "a", "sum of transitions into it", 2, 1)]),
        ({"a": 1}, LevelCount(1, 1, 0), {OUT: 1}, [Difference("I4", "a", "sum of transitions out of it", 1, 0)]),
    ],
)
def test_each_broken_invariant_is_told(
    recount: Mapping[str, int],
    level: LevelCount | None,
    transitions: Mapping[Transition, int],
    expected: list[Difference],
) -> None:
    assert differences(recount, {"a": level} if level else {}, moves(transitions)) == expected


def test_missing_transitions_are_a_difference_only_where_none_has_expired() -> None:
    level = {"a": LevelCount(1, 2, 1)}

    assert differences({"a": 1}, level, moves({IN: 1})) == []
    assert differences({"a": 1}, level, moves({IN: 1}), none_expired=True) == [
        Difference("I4", "a", "sum of transitions into it", 1, 2),
        Difference("I4", "a", "sum of transitions out of it", 0, 1),
    ]


def test_transitions_of_a_level_without_a_row_are_told() -> None:
    assert [found.what for found in differences({}, {}, moves({Transition(60, "a", "b"): 1}))] == [
        "sum of transitions out of it",
        "sum of transitions into it",
    ]


def test_a_difference_reads_as_a_sentence() -> None:
    assert str(Difference("I1", "a/b", "playerCount", 3, 5)) == "I1 a/b: playerCount is 3, should be 5 (off by -2)"


class Lagging(Clock):
    """While the audit sleeps, the aggregator catches up."""

    def __init__(self, counts: MemoryCounts, after: int) -> None:
        super().__init__()
        self._counts, self._after = counts, after

    def sleep(self, seconds: float) -> None:
        """Sleep, and count the player at last."""
        super().sleep(seconds)
        if len(self.slept) == self._after:
            net = Net()
            net.add(IN)
            self._counts.apply(net, MemoryProgress(), "w", Progress(), Progress())


def audit(after: int) -> tuple[Audit, Lagging]:
    """An audit of one player who is counted after so many sleeps."""
    players, counts = MemoryPlayers(), MemoryCounts()
    players.apply(LevelEvent("ann", "a", 1))
    clock = Lagging(counts, after)
    return Audit(players, counts, clock.sleep), clock


def test_strict_tells_at_once() -> None:
    made, clock = audit(after=1)

    assert made.strict() == [Difference("I1", "a", "playerCount", 0, 1)]
    assert clock.slept == []


@pytest.mark.parametrize("after", range(1, RECOUNTS))
def test_live_forgives_what_was_on_its_way(after: int) -> None:
    made, clock = audit(after)

    assert made.live() == []
    assert clock.slept == [SPACING_SECONDS] * after


def test_live_tells_what_stands_in_all_recounts() -> None:
    made, clock = audit(after=RECOUNTS)

    assert made.live() == [Difference("I1", "a", "playerCount", 0, 1)]
    assert clock.slept == [SPACING_SECONDS] * (RECOUNTS - 1)
