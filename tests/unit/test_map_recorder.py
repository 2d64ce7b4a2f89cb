"""Minutes as the map keeps, writes and looks them up; in memory, with a clock of one's own."""

from collections.abc import Mapping
from typing import cast

import pytest
from botocore.exceptions import EndpointConnectionError

from game_map.backfill import UNHURRIED, Backfill, busy
from game_map.board import Board
from game_map.hour import GRACE_SECONDS, HOUR, MINUTES, Hour
from game_map.recorder import Recorder
from headcount.metrics import MapMetrics
from headcount.model import Average
from headcount.tables.history import HistoryTable, ThrottledError
from tests.fakes.clock import Clock
from tests.fakes.history import MemoryHistory
from tests.fakes.inline import InlineExecutor

NOON = 1_750_000_020.0
FIVE, TWO = Average(5, 5), Average(2, 2)


class Map:
    """One game map, so far as history goes; ``table`` may be another one's, too."""

    def __init__(self, table: MemoryHistory | None = None, clock: Clock | None = None) -> None:
        self.table, self.clock, self.is_held = table or MemoryHistory(), clock or Clock(NOON), True
        self.hour, self.metrics, self.slept, self.set_by = Hour(), MapMetrics(), list[float](), 0.0
        self.recorder = Recorder(
            self.hour, self.table, lambda: self.is_held, self.metrics, lambda: self.clock.now + self.set_by
        )
        self.backfill = Backfill(self.hour, self.table, InlineExecutor(), self.slept.append)

    def look(self, **players: int) -> None:
        """At what there is now."""
        self.recorder.see(Board(round(self.clock.now * 1000), players=players))

    def results(self) -> dict[str, float]:
        """Of minutes, those that there were."""
        samples = next(iter(self.metrics.history_periods.collect())).samples
        return {one.labels["result"]: one.value for one in samples if one.name.endswith("_total") and one.value}


def pass_minutes(minutes: float, *maps: Map, turns: bool = True, **players: int) -> None:
    """Looks each second at what stays the same; ``turns``: what waits is written meanwhile."""
    for _ in range(round(minutes * 60)):
        for one in maps:
            one.look(**players)
            if turns:
                one.recorder.turn()
        maps[0].clock.now += 1


def test_each_minute_is_written_once() -> None:
    town = Map()
    pass_minutes(3, town, forest=5, empty=0)
    pass_minutes(0.1, town, forest=2)

    assert town.table.minutes == {int(NOON) + 60 * number: {"forest": FIVE} for number in range(3)}
    assert set(town.table.writes.values()) == {1}
    assert town.hour.minutes == town.table.minutes
    assert town.results() == {"written": 3}
    assert not town.table.asked, "nobody else has written anything"


def test_a_minute_of_an_empty_game_is_written_too() -> None:
    town = Map()
    pass_minutes(1.1, town, empty=0)
    assert town.table.minutes == {int(NOON): {}}


def test_who_does_not_publish_writes_nothing_and_knows_the_minute() -> None:
    town = Map()
    town.is_held = False
    pass_minutes(2.1, town, forest=5)
    assert not town.table.minutes
    assert not town.table.asked
    assert list(town.hour.minutes) == [NOON, NOON + 60]


def test_two_of_them_write_a_minute_once_and_the_second_takes_over_without_a_gap() -> None:
    clock, table = Clock(NOON), MemoryHistory()
    first, second = Map(table, clock), Map(table, clock)
    second.is_held = False
    pass_minutes(2.5, first, second, forest=5)
    first.is_held = False  # it is gone, and nobody knows yet
    pass_minutes(1, first, second, forest=5)
    second.is_held = True
    pass_minutes(1, first, second, forest=5)
    first.is_held, second.is_held = True, False  # and back again
    pass_minutes(1, first, second, forest=5)

    assert sorted(table.minutes) == [NOON + 60 * number for number in range(5)]
    assert set(table.writes.values()) == {1}


def test_what_cannot_be_written_is_written_later_in_order() -> None:
    town = Map()
    pass_minutes(1, town, forest=5)
    for failure in (EndpointConnectionError(endpoint_url="http://nowhere"), ThrottledError("throttled")):
        town.table.failure = failure
        pass_minutes(1, town, turns=False, forest=2)
        with pytest.raises(type(failure)):
            town.recorder.turn()
    assert not town.table.minutes
    assert len(town.hour.minutes) == 2, "it is shown all the same"

    town.table.failure = None
    town.recorder.turn()
    assert list(town.table.minutes) == [NOON, NOON + 60]
    assert set(town.table.writes.values()) == {1}
    assert town.results() == {"failed": 2, "written": 2}


def test_no_more_than_an_hour_waits_and_what_is_lost_is_counted() -> None:
    town = Map()
    pass_minutes(MINUTES + 5.1, town, turns=False, forest=5)
    town.recorder.turn()
    assert len(town.table.minutes) == MINUTES
    assert min(town.table.minutes) == NOON + 5 * 60
    assert town.results() == {"lost": 5, "written": MINUTES}


def test_a_minute_that_was_hardly_seen_is_neither_shown_nor_written() -> None:
    town = Map()
    town.clock.now += 45
    pass_minutes(1.5, town, forest=5)
    assert list(town.table.minutes) == [NOON + 60]
    assert town.results() == {"unseen": 1, "written": 1}


def test_an_hour_is_kept_and_no_more() -> None:
    town = Map()
    pass_minutes(MINUTES + 10.1, town, forest=5)
    assert sorted(town.hour.minutes) == [NOON + 60 * number for number in range(10, MINUTES + 10)]


def test_a_clock_set_back_drops_minutes_that_are_yet_to_come() -> None:
    town = Map()
    pass_minutes(5.1, town, forest=5)
    town.clock.now -= 180
    town.set_by += 180
    pass_minutes(2, town, forest=2)
    assert max(town.hour.minutes) < town.clock.now
    assert town.hour.minutes[int(NOON) + 180] == {"forest": TWO}


def test_the_newest_minute_is_told_once_a_look_ended_it_or_none_came() -> None:
    town = Map()
    pass_minutes(1, town, forest=5)
    assert town.hour.newest(NOON + 60.2) == NOON - 60
    assert town.hour.newest(NOON + 60 + GRACE_SECONDS) == NOON
    town.look(forest=5)
    assert town.hour.newest(NOON + 60.2) == NOON


def test_what_others_saw_is_read_at_the_start() -> None:
    before = Map()
    pass_minutes(3.1, before, forest=5)
    after = Map(before.table, before.clock)
    assert after.backfill.turn() < 1, "there is no board yet"
    assert not after.hour.is_looked_up
    after.look(forest=5, cave=0)
    after.backfill.turn()
    assert after.hour.minutes == before.hour.minutes
    assert after.hour.is_looked_up


def test_a_minute_that_only_others_saw_is_read_later_and_asked_for_once() -> None:
    clock, table = Clock(NOON), MemoryHistory()
    one, other = Map(table, clock), Map(table, clock)
    pass_minutes(1.75, one, forest=5)
    other.is_held = False
    pass_minutes(1.5, other, one, forest=5)
    assert sorted(other.hour.minutes) == [NOON + 120]
    other.backfill.turn()
    assert other.hour.minutes == one.hour.minutes
    asked = len(table.asked)
    other.backfill.turn()
    assert table.asked[asked:] == [None], "only which minutes there are"


def test_levels_of_which_little_is_to_be_expected_are_read_in_no_hurry() -> None:
    town = Map()
    levels = {f"level-{number:04}": 0 for number in range(5000)}
    town.table.minutes[int(NOON) - 60] = {"level-0001": FIVE, "level-0002": TWO, "level-4321": FIVE}
    moves: Mapping[int, Mapping[tuple[str | None, str | None], int]] = {int(NOON): {("level-0002", None): 1}}
    town.recorder.see(Board(round(NOON * 1000), players={**levels, "level-0001": 3}, moves=moves))

    known_when_slept: list[int] = []
    town.backfill = Backfill(
        town.hour,
        town.table,
        InlineExecutor(),
        lambda _: known_when_slept.append(len(town.hour.minutes[int(NOON) - 60])),
    )
    town.backfill.turn()
    assert town.table.asked[:3] in ([None, "level-0001", "level-0002"], [None, "level-0002", "level-0001"])
    assert known_when_slept[0] == 2, "those that matter are known before anything else"
    assert len(known_when_slept) == -(-4998 // UNHURRIED)
    assert town.hour.minutes == {int(NOON) - 60: town.table.minutes[int(NOON) - 60]}


def test_a_table_that_cannot_be_read_does_not_hold_the_answers_up() -> None:
    town = Map()
    town.table.failure = EndpointConnectionError(endpoint_url="http://nowhere")
    town.look(forest=5)
    with pytest.raises(EndpointConnectionError):
        town.backfill.turn()
    assert town.hour.is_looked_up


def test_busy_levels() -> None:
    moves: Mapping[int, Mapping[tuple[str | None, str | None], int]] = {0: {(None, "a"): 1, ("b", "gone"): 2}}
    assert busy(Board(1, players={"a": 0, "b": 0, "c": 3, "d": 0}, moves=moves)) == {"a", "b", "c"}


def test_writing_never_waits_for_a_look_nor_a_look_for_writing() -> None:
    """A look in the middle of a write goes through, and what it adds is not lost."""
    town = Map()

    class Slow(MemoryHistory):
        def write(self, minute: int, averages: Mapping[str, Average]) -> None:
            super().write(minute, averages)
            if not self.minutes.keys() - {int(NOON)}:
                pass_minutes(1.1, town, turns=False, forest=2)

    town.table = Slow()
    town.recorder._table = cast("HistoryTable", town.table)
    pass_minutes(1.1, town, forest=5)
    assert list(town.table.minutes) == [NOON, NOON + 60]
    assert HOUR == MINUTES * 60
