"""Averages of minutes: weighed by time, whatever looks and clocks do."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from game_map.averages import DIGITS, HELD_SECONDS, LEAST_SECONDS, Averaging, Ended
from game_map.board import MINUTE
from headcount.model import Average

NOON = 1_750_000_020
TICKS = 10  # of a second


def ended_by(looks: list[tuple[float, dict[str, int]]]) -> list[Ended]:
    """Looks (s since `NOON`, players), both clocks in step."""
    averaging = Averaging()
    return [ended for at, players in looks for ended in averaging.look(NOON + at, at, players)]


def each_second(first: int, last: int, **players: int) -> list[tuple[float, dict[str, int]]]:
    return [(float(second), players) for second in range(first, last)]


def test_a_minute_ends_with_the_first_look_after_it() -> None:
    averaging = Averaging()
    for second in range(60):
        assert averaging.look(NOON + second, second, {"forest": 5}) == []
    assert averaging.look(NOON + 60, 60, {"forest": 9}) == [Ended(NOON, {"forest": Average(5, 5)})]


def test_each_count_weighs_as_long_as_it_stood() -> None:
    looks = [*each_second(0, 15, forest=8), *each_second(15, 45, forest=2, cave=1), *each_second(45, 62)]
    assert ended_by(looks) == [Ended(NOON, {"forest": Average(3, 2), "cave": Average(0.5, 1)})]


def test_looks_that_straddle_a_border_are_shared_out() -> None:
    looks = [(at, {"forest": 2 if at < 59 else 62}) for at in (second + 0.5 for second in range(125))]
    first, second = ended_by(looks)
    # From 0.5 to 59.5 there were 2, from then on 62.
    assert first == Ended(NOON, {"forest": Average(round((2 * 59 + 62 * 0.5) / 59.5, DIGITS), 2)})
    assert second == Ended(NOON + 60, {"forest": Average(62, 62)})


def test_empty_and_negative_levels_are_not_there() -> None:
    assert ended_by([(at, {"empty": 0, "odd": -1}) for at, _ in each_second(0, 61)]) == [Ended(NOON, {})]


def test_a_minute_of_which_too_little_was_seen_has_no_average() -> None:
    begun_late = round(60 - LEAST_SECONDS) + 1
    assert ended_by(each_second(begun_late, 61, forest=1)) == [Ended(NOON, None)]
    assert ended_by(each_second(begun_late - 1, 61, forest=1)) == [Ended(NOON, {"forest": Average(1, 1)})]


def test_a_count_is_held_for_some_seconds_where_looks_fail() -> None:
    """Of 60 s, 20 + 10 with 1 player and 10 with 4; between them nobody knows."""
    looks = [*each_second(0, 21, forest=1), *each_second(50, 61, forest=4)]
    held = 20 + HELD_SECONDS
    assert ended_by(looks) == [Ended(NOON, {"forest": Average(round((held + 40) / (held + 10), DIGITS), 1)})]


def test_minutes_without_any_look_are_not_there_at_all() -> None:
    looks = [*each_second(0, 60, forest=1), *each_second(300, 361, forest=2)]
    assert [ended.minute for ended in ended_by(looks) if ended.averages is not None] == [NOON, NOON + 300]


def test_a_wall_clock_that_is_set_back_tells_the_minute_anew() -> None:
    averaging, ended = Averaging(), list[Ended]()
    for second in range(70):
        ended += averaging.look(NOON + second, second, {"forest": 1})
    for second in range(70, 200):  # by 70 s
        ended += averaging.look(NOON + second - 70, second, {"forest": 3})
    told = [one for one in ended if one.averages is not None]
    assert told == [
        Ended(NOON, {"forest": Average(1, 1)}),
        Ended(NOON, {"forest": Average(3, 3)}),
        Ended(NOON + 60, {"forest": Average(3, 3)}),
    ]


def test_a_wall_clock_that_jumps_ahead_makes_no_time_out_of_nothing() -> None:
    averaging, ended = Averaging(), list[Ended]()
    for second in range(40):
        ended += averaging.look(NOON + second, second, {"forest": 1})
    for second in range(40, 80):
        ended += averaging.look(NOON + second + 3600, second, {"forest": 2})
    assert ended[0] == Ended(NOON, {"forest": Average(1, 1)})
    assert [one.minute for one in ended[1:]] == [NOON + 3600]
    assert ended[1].averages is None, "it was seen for 20 s"


def test_time_that_a_wall_clock_leaps_over_weighs_nothing() -> None:
    averaging = Averaging()
    for second in range(20):
        averaging.look(NOON + second, second, {"forest": 8})
    for second in range(20, 52):
        averaging.look(NOON + second + 8, second, {"forest": 2})
    [ended] = averaging.look(NOON + 60, 52, {})
    assert ended == Ended(NOON, {"forest": Average(round((20 * 8 + 32 * 2) / 52, DIGITS), 2)})


def test_a_wall_clock_that_is_slewed_leaves_no_gaps() -> None:
    averaging = Averaging()
    for second in range(60):
        averaging.look(NOON + second, second * 0.4, {"forest": 5})
    assert averaging.look(NOON + 60, 60 * 0.4, {}) == [Ended(NOON, {"forest": Average(5, 5)})]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 15 * TICKS),  # until the next look
            st.dictionaries(st.sampled_from("abc"), st.integers(-1, 20), max_size=3),
        ),
        min_size=1,
        max_size=120,
    ),
    st.integers(0, MINUTE * TICKS - 1),
)
def test_the_average_is_that_of_all_moments(looks: list[tuple[int, dict[str, int]]], begin: int) -> None:
    """By brute force: tick by tick, what was known at that moment."""
    averaging, ended, at = Averaging(), dict[int, Ended](), begin
    sums, covered, least = Counter[tuple[int, str]](), Counter[int](), dict[tuple[int, str], int]()
    for wait, players in [*looks, (2 * MINUTE * TICKS, {}), (1, {})]:
        for one in averaging.look(NOON + at / TICKS, 5 + at / TICKS, players):
            assert one.minute not in ended
            ended[one.minute] = one
        for tick in range(at, at + min(wait, round(HELD_SECONDS * TICKS))):
            minute = NOON + tick // (MINUTE * TICKS) * MINUTE
            covered[minute] += 1
            for level, count in players.items():
                if count > 0:
                    sums[minute, level] += count
                    least[minute, level] = min(count, least.get((minute, level), count))
        at += wait
    last = NOON + (at - 1) // (MINUTE * TICKS) * MINUTE  # has not ended
    assert covered.keys() - {last} <= ended.keys()
    for minute in covered.keys() - {last}:
        averages, ticks = ended[minute].averages, covered[minute]
        if abs(ticks / TICKS - LEAST_SECONDS) < 0.05:
            continue
        assert (averages is not None) == (ticks / TICKS >= LEAST_SECONDS)
        for level in "abc" if averages is not None else ():
            told = (averages or {}).get(level, Average(0, 0))
            assert abs(told.players - sums[minute, level] / ticks) <= 0.0011
            assert told.players == 0 or told.least == least[minute, level]
