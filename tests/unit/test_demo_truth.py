"""What the demo says the tables must hold, on sequences made by hand."""

import pytest

from headcount.demo.truth import Truth
from headcount.demo.tsv import APP_ID, Event, Kind
from headcount.demo.world import World

MINUTE = 60_000
PASS_SECONDS = 20.0


def event(player: str | None, level: str | None, at: int, kind: Kind = Kind.LEVEL) -> Event:
    return Event(player, level, at, kind, b"", "key", APP_ID)


def truth(*places: tuple[str, str, int]) -> Truth:
    it = Truth(60, 10)
    for player, level, at in places:
        it.record(event(player, level, at))
    return it


def test_the_greatest_by_time_then_level_stands_whatever_the_order() -> None:
    it = truth(("p", "b", 5), ("p", "a", 5), ("p", "z", 4), ("q", "a", 1))
    assert it.expected_players() == {"p": ("b", 5), "q": ("a", 1)}
    assert it.expected_levels() == {"a": 1, "b": 1}


def test_players_before_the_cutoff_are_gone() -> None:
    it = truth(("p", "a", 10), ("q", "a", 20))
    assert it.expected_players(20) == {"q": ("a", 20)}
    assert it.expected_levels(21) == {}


def test_only_level_events_place_anybody_and_all_are_counted() -> None:
    it = truth(("p", "a", 10), ("p", "a", 10))
    for kind in set(Kind) - {Kind.LEVEL}:
        it.record(event("p", "b", 20, kind))
    assert it.expected_players() == {"p": ("a", 10)}
    assert it.sent == {Kind.LEVEL: 2} | dict.fromkeys(set(Kind) - {Kind.LEVEL}, 1)
    assert it.total == 6


def test_comparison_names_what_is_off_and_by_how_much() -> None:
    it = truth(("a" * 24, "x", 10), ("b" * 24, "y", 11))
    rows = {"a" * 24: ("x", 10), "b" * 24: ("y", 11)}
    assert it.compare(rows, {"x": 1, "y": 1, "empty": 0}, None) == []
    assert it.compare({"a" * 24: ("y", 10), "c" * 24: ("x", 1)}, {"x": 3}, None) == [
        "level x: 3 players, +2 from 1",
        "level y: 0 players, -1 from 1",
        "player aaaaaa…: y at 10 instead of x at 10",
        "player bbbbbb…: no row instead of y at 11",
        "player cccccc…: x at 1 instead of no row",
    ]


def test_a_cutoff_beyond_the_newest_event_is_told_unless_the_stream_was_silent() -> None:
    """Else the truth would bend with it: everybody gone, as the tables say."""
    it = truth(("p", "a", 100_000), ("q", "a", 200_000))
    assert it.false_leaves(130_000, 0, 210_000) == []
    assert it.false_leaves(None, 0, 210_000) == []
    [told] = it.false_leaves(130_001, 0, 210_000)
    assert "left too early" in told
    assert it.false_leaves(130_001, 0, 200_000 + 600_001) == []


def test_more_late_records_than_came_late_are_told() -> None:
    it = truth(("p", "a", 100_000), ("q", "a", 29_999), ("q", "a", 30_000))
    assert it.false_leaves(None, 1, 110_000) == []
    [told] = it.false_leaves(None, 2, 110_000)
    assert told.startswith("2 records ended as late, where 1 came late")


def test_moves_are_told_to_the_minute() -> None:
    it = truth(("p", "a", 1), ("p", "a", 30_000), ("p", "b", MINUTE), ("p", "a", MINUTE + 1), ("q", "a", MINUTE + 2))
    found = it.expected_transitions(None, PASS_SECONDS)
    assert found.exact
    assert found.least == {(0, None, "a"): 1, (60, "a", "b"): 1, (60, "b", "a"): 1, (60, None, "a"): 1}
    assert found.compare(found.least) == []
    assert found.compare({(0, None, "a"): 2}) == [
        "transition (entered) -> a in minute 0: 2 instead of 1",
        "transition (entered) -> a in minute 60: 0 instead of 1",
        "transition a -> b in minute 60: 0 instead of 1",
        "transition b -> a in minute 60: 0 instead of 1",
    ]


def test_who_falls_silent_leaves_an_idle_timeout_after_the_last_event() -> None:
    it = truth(("p", "a", 1), ("q", "a", MINUTE))
    assert it.expected_transitions(2, PASS_SECONDS).least == {
        (0, None, "a"): 1,
        (60, "a", None): 1,
        (60, None, "a"): 1,
    }


@pytest.mark.parametrize(
    ("silence", "least", "most"),
    [
        (70_000, {(60, "a", "b"): 1}, {(60, "a", "b"): 1}),
        (80_000, {}, {(60, "a", "b"): 1, (60, "a", None): 1, (60, None, "b"): 1}),
        (90_001, {(60, "a", None): 1, (60, None, "b"): 1}, {(60, "a", None): 1, (60, None, "b"): 1}),
    ],
)
def test_a_silence_just_beyond_the_timeout_is_in_doubt(
    silence: int, least: dict[tuple[int, str, str], int], most: dict[tuple[int, str, str], int]
) -> None:
    found = truth(("p", "a", 0), ("p", "b", silence)).expected_transitions(None, PASS_SECONDS)
    entered = {(0, None, "a"): 1}
    assert (found.least, found.most) == (entered | least, entered | most)
    assert found.exact == (least == most)
    assert found.compare(found.most) == []


def test_a_short_silence_in_one_level_is_no_move() -> None:
    assert truth(("p", "a", 0), ("p", "a", 70_000)).expected_transitions(None, 0).least == {(0, None, "a"): 1}
    assert truth(("p", "a", 0), ("p", "a", 70_001)).expected_transitions(None, 0).least.total() == 3


def test_overtaken_events_blur_unless_they_repeat_what_is_known() -> None:
    repeated = truth(("p", "a", 0), ("p", "a", 9), ("p", "b", 10), ("p", "b", 10), ("p", "a", 9), ("p", "a", 5))
    assert repeated.expected_transitions(None, 0).exact
    for overtaken in (("p", "c", 5), ("p", "b", 9), ("p", "c", 10)):
        found = truth(("p", "a", 0), ("p", "b", 10), overtaken).expected_transitions(None, 0)
        assert found.blurred == 1
        with pytest.raises(ValueError, match="1 players"):
            found.compare({})


def test_an_ordered_world_blurs_nobody() -> None:
    world, it = World(200, 20, 7, stable_keys=True, disorder=0), Truth()
    for tick in range(900):
        for sent in world.tick(tick * 100, 30):
            it.record(sent)
    found = it.expected_transitions(20_000, PASS_SECONDS)
    assert found.blurred == 0
    entered = sum(n for (_, source, _), n in found.least.items() if source is None)
    left = sum(n for (_, _, target), n in found.least.items() if target is None)
    doubtful = (found.most - found.least).total()
    assert abs(entered - left - len(it.expected_players(20_000))) <= doubtful
    assert left
