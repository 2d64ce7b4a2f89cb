"""The formulae of docs/cost.md against examples reckoned by hand."""

from dataclasses import replace
from math import exp, inf

import pytest

from headcount.cost.load import ImpossibleLoadError, Load
from headcount.cost.netting import Traffic, batches
from headcount.cost.writes import player_writes
from headcount.tables.counts import MOST_ITEMS

# 100 players at 20 level events a minute.
LOAD = Load(100 * 20 / 60, 100, level_share=1, events_per_level=100, session_minutes=inf, stable_keys=True)
RANDOM = replace(LOAD, stable_keys=False, shards=4)


def test_with_stable_keys_each_level_is_one_change() -> None:
    assert player_writes(LOAD, 60).changes == pytest.approx(0.01)


def test_a_renewal_is_what_no_change_takes_along_within_the_refresh() -> None:
    # 20 events a minute, a hundredth of them a change: 0.2 changes in 60 s. Beside each write there is the event that
    # begins to wait (or is a change itself), and those that come while it waits.
    waits = (1 - exp(-0.2)) / 0.01
    assert player_writes(LOAD, 60).renewals == pytest.approx(0.99 * exp(-0.2) / (1 + 0.99 * waits))


def test_the_target_of_few_writes_holds() -> None:
    """One write per event is the tutorial's; these are issue-sized loads over four shards."""
    assert player_writes(LOAD, 60).total == pytest.approx(0.053, abs=0.001)
    assert player_writes(RANDOM, 60).total == pytest.approx(0.18, abs=0.01)
    assert player_writes(RANDOM, 120).total == pytest.approx(0.11, abs=0.01)


def test_with_random_keys_each_worker_notices_the_move_by_itself() -> None:
    # Four workers, 100 events per level: hardly one misses a level.
    assert player_writes(RANDOM, 60).changes == pytest.approx(4 / 100, rel=0.05)


def test_an_event_per_level_is_a_change_each_and_nothing_waits() -> None:
    writes = player_writes(replace(LOAD, events_per_level=1), 60)

    assert (writes.changes, writes.renewals) == (1, 0)


def test_a_long_refresh_leaves_the_changes_alone() -> None:
    assert player_writes(LOAD, 1e6).total == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"events_per_minute_and_player": 10}, "200 players at once, more than the 100 there are"),
        ({"session_minutes": 2}, "has 40 of them, fewer than the 100 of one level"),
        ({"events_per_level": inf}, "events per level can't be inf"),
        ({"level_share": float("nan")}, "level share can't be nan"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(change: dict[str, float], says: str) -> None:
    with pytest.raises(ImpossibleLoadError, match=says):
        replace(LOAD, **change)  # type: ignore[arg-type] # a float for each


def test_shards_are_as_many_as_records_and_bytes_need() -> None:
    def shards(events: float, kilobytes: float) -> int:
        return Load(events, 10**6, event_kilobytes=kilobytes, session_minutes=inf).kinesis_shards

    assert shards(10, 1.9) == 2
    assert shards(8000, 0.5) == 10
    assert shards(800, 10) == 10


def test_a_player_who_comes_moves_and_leaves_touches_what_the_rules_say() -> None:
    # 1 move and 1/3 of a coming and a leaving a second, moments so short that nothing coincides.
    load = replace(
        LOAD, events_per_second=100 * 4 / 3, players=1000, events_per_minute_and_player=20, session_minutes=20
    )
    assert [load.moves, load.entries] == pytest.approx([1, 1 / 3])

    read = batches(Traffic.of(load), 10, 1e-6)

    assert read.level_items == pytest.approx(2 * 1 + 2 / 3, rel=1e-3)
    assert read.transition_items == pytest.approx(1 + 2 / 3, rel=1e-3)
    assert read.transactions == pytest.approx(1 + 2 / 3, rel=1e-3)


def test_moves_that_coincide_share_items() -> None:
    busy = replace(LOAD, events_per_second=10_000, players=30_000)
    apart = batches(Traffic.of(busy), 1000, 1e-6)
    read = batches(Traffic.of(busy), 1000, 0.5)

    assert read.level_items < apart.level_items / 1.2
    assert read.transactions < apart.transactions / 20


def test_a_batch_that_is_too_large_is_taken_in_parts_of_a_hundred_items() -> None:
    huge = replace(LOAD, events_per_second=100_000, players=300_000)
    read = batches(Traffic.of(huge), 10_000, 0.5)

    assert read.items / read.transactions == pytest.approx(MOST_ITEMS, rel=0.01)


def test_a_stream_is_read_at_half_the_pace_while_it_brings_nothing() -> None:
    assert batches(Traffic.of(LOAD), 0, 0.5).reads == pytest.approx(1)
    assert batches(Traffic.of(LOAD), 1000, 0.5).reads == pytest.approx(2)
