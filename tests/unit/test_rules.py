"""The rules as pure functions, by their numbers in ``docs/semantics.md``."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount import rules
from headcount.model import LevelEvent, PlayerChange, PlayerRow, Position, Progress, Transition
from headcount.rules import Decision, Shard

ROW = PlayerRow("m", 5)


@pytest.mark.parametrize(
    ("row", "level", "at", "decision"),
    [
        (None, "m", 5, Decision.CHANGE),
        (ROW, "m", 5, Decision.STALE),
        (ROW, "m", 4, Decision.STALE),
        (ROW, "z", 4, Decision.STALE),
        (ROW, "a", 5, Decision.STALE),
        (ROW, "m", 6, Decision.RENEWAL),
        (ROW, "z", 5, Decision.CHANGE),
        (ROW, "a", 6, Decision.CHANGE),
    ],
)
def test_decide(row: PlayerRow | None, level: str, at: int, decision: Decision) -> None:
    assert rules.decide(row, LevelEvent("ann", level, at)) is decision


def test_any_order_of_the_same_events_ends_in_the_same_row() -> None:
    events = [LevelEvent("ann", level, at) for level, at in [("a", 1), ("b", 1), ("a", 2), ("c", 2), ("b", 0)]]
    for order in permutations(events):
        row = None
        for event in order:
            if rules.decide(row, event) is not Decision.STALE:
                row = PlayerRow(event.level, event.at)
        assert row == PlayerRow("c", 2)


@pytest.mark.parametrize(("at", "expected"), [(99, 99), (5_100, 5_100), (5_101, 5_100), (10**15, 5_100)])
def test_no_event_is_later_than_its_arrival_plus_the_skew(at: int, expected: int) -> None:
    assert rules.clamped(at, arrived_at=100) == expected


@pytest.mark.parametrize(("at", "cutoff", "late"), [(5, None, False), (5, 5, False), (5, 6, True), (5, 4, False)])
def test_late_is_before_the_cutoff(at: int, cutoff: int | None, late: bool) -> None:
    assert rules.is_late(at, cutoff) is late


def test_latest_of_nothing_known_is_unknown() -> None:
    assert rules.latest() is None
    assert rules.latest(None, None) is None
    assert rules.latest(None, 0, -1) == 0


def shard(name: str, *parents: str, closed: bool = False) -> Shard:
    return Shard(name, parents, closed)


@pytest.mark.parametrize(
    ("shards", "rows", "expected"),
    [
        ([shard("a"), shard("b")], {}, ["a", "b"]),
        ([shard("a", closed=True), shard("b", "a")], {"a": Progress(ended=True)}, ["b"]),
        ([shard("a", closed=True), shard("b", "a")], {"a": Progress()}, ["a", "b"]),
        ([shard("a", closed=True), shard("b", "a")], {}, ["a", "b"]),  # nobody has begun: it may hold records
        ([shard("a", closed=True), shard("b", "a")], {"b": Progress()}, ["b"]),  # begun at LATEST
        ([shard("a", closed=True), shard("b", "a")], {"a": Progress(), "b": Progress()}, ["a", "b"]),
        ([], {"gone": Progress()}, []),
    ],
)
def test_pruning_waits_for_all_shards_but_those_finished(
    shards: list[Shard], rows: dict[str, Progress], expected: list[str]
) -> None:
    assert rules.shards_to_wait_for(shards, rows) == expected


@pytest.mark.parametrize(
    ("parents", "expected"), [((), None), (("a",), 5), (("a", "b"), 3), (("a", "unknown"), None), (("a", "c"), None)]
)
def test_a_child_begins_with_its_parents_least_watermark(parents: tuple[str, ...], expected: int | None) -> None:
    progress = {"a": Progress(watermark=5), "b": Progress(watermark=3), "c": Progress()}

    assert rules.first_watermark(shard("child", *parents), progress) == expected


def quiet(caught_up: int | None, arrived: int | None, settled: int | None = None) -> Progress:
    return Progress(caught_up_at=caught_up, arrived_at=arrived, settled=settled)


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ([quiet(100, 40), quiet(90, 60)], (30, 90)),
        ([quiet(50, 60)], (0, 50)),  # something arrived after the last look
        ([quiet(100, 40), None], None),
        ([quiet(100, 40), quiet(None, 60)], None),
        ([quiet(100, None)], None),
        ([], None),
    ],
)
def test_silence_is_what_every_shard_has_seen(waiting: list[Progress | None], expected: tuple[int, int] | None) -> None:
    assert rules.silence(waiting, [row for row in waiting if row]) == expected


@pytest.mark.parametrize(
    ("rows", "published", "expected"),
    [
        ([quiet(100, 40, 30), quiet(100, 40, 35)], None, 35),
        ([quiet(100, 40, 30)], 50, 50),
        ([quiet(None, None, None)], None, None),
        ([quiet(639, 40, 30)], None, 30),
        ([quiet(640, 40, 30)], None, 640),  # the whole stream was silent for 600: on by the clock
        ([quiet(640, 40, 30), quiet(None, 40, 30)], None, 30),  # but a shard that can't tell holds it
        ([quiet(640, 40, None)], None, None),  # no event was ever seen
        ([quiet(640, 40, 30)], 700, 700),
    ],
)
def test_stream_time_goes_with_the_newest_event_and_by_the_clock_only_after_the_longest_silence(
    rows: list[Progress], published: int | None, expected: int | None
) -> None:
    assert rules.stream_time(rows, rows, published, 600) == expected


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [(["a"], 1_000 - 310), (["a", "b"], 900 - 310), (["a", "c"], None), (["x"], None), ([], None)],
)
def test_the_cutoff_is_the_least_watermark_minus_timeout_and_lateness(waiting: list[str], expected: int | None) -> None:
    progress = {"a": Progress(watermark=1_000), "b": Progress(watermark=900), "c": Progress()}

    assert rules.cutoff(waiting, progress, 300, 10) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, PlayerRow("a", 60_000), Transition(60, None, "a")),
        (PlayerRow("a", 0), PlayerRow("b", 119_999), Transition(60, "a", "b")),
        (PlayerRow("a", 0), PlayerRow("a", 119_999), None),
        (PlayerRow("a", 59_999), None, Transition(300, "a", None)),  # leaves idle timeout after its last event
        (PlayerRow("a", 60_000), None, Transition(360, "a", None)),
        (None, None, None),
        (None, PlayerRow("a", -1), Transition(-60, None, "a")),
    ],
)
def test_the_move_that_a_change_is(
    before: PlayerRow | None, after: PlayerRow | None, expected: Transition | None
) -> None:
    assert rules.transition_of(PlayerChange(before, after), 300_000) == expected


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.none() | st.text("/%2Fa", min_size=1), st.none() | st.text("/%2Fa", min_size=1)), max_size=9)
)
def test_transitions_have_keys_of_their_own(moves: list[tuple[str | None, str | None]]) -> None:
    transitions = {Transition(60, source, target) for source, target in moves}

    assert len({rules.transition_key(transition) for transition in transitions}) == len(transitions)


def test_a_minute_is_spread_over_all_buckets() -> None:
    buckets = {rules.transition_key(Transition(60, None, f"level-{n}"))[0] for n in range(200)}

    assert buckets == {f"60#{n}" for n in range(rules.BUCKETS)}


def test_positions_are_ordered_as_numbers_and_so_are_their_texts() -> None:
    positions = [Position(9), Position(9, 1), Position(9, 10), Position(10), Position(10**55)]

    assert sorted(positions, key=str) == positions == sorted(positions)
    assert [Position.parse(str(position)) for position in positions] == positions
    assert Position.parse("495") == Position(495)
