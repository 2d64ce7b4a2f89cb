"""Bills: prices, allowances, and the sums that the project began with."""

import re
from dataclasses import replace
from itertools import product
from math import inf
from pathlib import Path

import pytest

from headcount.cost import ours, parts, tutorial
from headcount.cost.bill import HOURS, SECONDS, Bill, Line, Service
from headcount.cost.game_map import seen_levels
from headcount.cost.load import Load, Pace
from headcount.cost.parts import Choices
from headcount.cost.prices import Price, Prices, load_prices
from headcount.settings import Settings

TERRAFORM = Path(__file__).parents[2] / "deploy" / "terraform" / "modules" / "headcount" / "variables-services.tf"
PACE = Pace.of(Settings())
TABLES = ("PlayerState", "LevelState", "Transitions")
# All level events, nobody leaves: the sums that the project began with know of nothing else.
PLAIN = Load(10_000, 10_000, level_share=1, session_minutes=inf, stable_keys=True)


def per_million(lines: list[Line], load: Load, *tables: str) -> float:
    """USD for these tables' writes, per million events."""
    bill = Bill(lines, load_prices())
    usd = sum(bill.usd(line) for line in lines if line.what in {f"writes: {table}" for table in tables})
    return usd / (load.events_per_second * SECONDS / 1e6)


@pytest.mark.parametrize(("events_per_level", "usd"), [(100, 0.64), (20, 0.72)])
def test_the_tutorials_design_costs_what_the_project_began_with(events_per_level: float, usd: float) -> None:
    """By hand: a write per event, and per level a decrement, an increment, a transition, at 0.625 USD a million."""
    assert round(0.625 * (1 + 3 / events_per_level), 2) == usd

    load = replace(PLAIN, events_per_level=events_per_level)
    assert round(per_million(tutorial.lines(load, PACE, Choices()), load, *TABLES), 2) == usd


@pytest.mark.parametrize(("events_per_level", "pace", "first", "usd"), [(100, 60, 0.04, 0.05), (20, 12, 0.18, 0.22)])
def test_ours_costs_more_than_the_project_began_with_for_a_transaction_counts_double(
    events_per_level: float, pace: float, first: float, usd: float
) -> None:
    """By hand: a write and three items per level, and a renewal a minute. Doubled, and netted, it is the model's."""
    assert round(0.625 * (4 / events_per_level + 1 / pace), 2) == first
    assert first < 0.625 * (1 / events_per_level + 6 / events_per_level + 1 / pace)

    load = replace(PLAIN, events_per_level=events_per_level, players=round(10_000 * 60 / pace))
    lines = ours.lines(load, PACE, Choices())
    assert round(per_million(lines, load, *TABLES, "StreamProgress", "KCL"), 2) == usd


def test_what_is_free_is_taken_off_once_over_all_lines_of_a_price() -> None:
    prices = Prices("here", "2026-01-01", {"a": Price(2, 10, "as", "", free=40), "b": Price(5, 1, "bs", "")})
    lines = [
        Line(Service.KINESIS, "one", "a", 30),
        Line(Service.KINESIS, "two", "a", 50),
        Line(Service.KINESIS, "two", "b", 1),
        Line(Service.LAMBDA, "three", "b", 0),
    ]
    bill = Bill(lines, prices)

    assert bill.by_what() == {
        (Service.KINESIS, "one"): 3,
        (Service.KINESIS, "two"): 10,
        (Service.LAMBDA, "three"): 0,
    }
    assert (bill.of(Service.KINESIS), bill.of(Service.LAMBDA), bill.total) == (13, 0, 13)


def test_what_is_wholly_free_costs_nothing() -> None:
    prices = Prices("here", "2026-01-01", {"a": Price(2, 10, "as", "", free=40)})

    assert Bill([Line(Service.LAMBDA, "one", "a", 30)], prices).total == 0


def test_every_price_has_its_source_and_is_used() -> None:
    prices = load_prices()
    used = {
        line.price
        for x86, fan_out, design in product((True, False), (True, False), (ours, tutorial))
        for line in design.lines(PLAIN, PACE, Choices(x86=x86, fan_out=fan_out))
    }

    assert used == prices.by_name.keys()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", prices.date)
    for price in prices.by_name.values():
        assert re.fullmatch(r"https://aws\.amazon\.com/[\w/-]+/pricing/(?:on-demand/)?", price.source)
        assert price.usd > 0
        assert price.unit


def test_the_stream_costs_what_its_shards_and_records_cost() -> None:
    """By hand: 3 shards at 0.015 USD an hour; 100 records/s of 30 kB are 200 units/s at 0.014 USD a million."""
    load = replace(PLAIN, events_per_second=100, players=100, shards=3, event_kilobytes=30)
    bill = Bill(parts.kinesis(load, Choices()), load_prices())

    assert bill.total == pytest.approx(3 * 0.015 * 730 + 200 * 3600 * 730 * 0.014 / 1e6)


def found(pattern: str) -> str:
    """What the pattern's group is in the module's variables."""
    match = re.search(pattern, TERRAFORM.read_text("utf-8"), re.DOTALL)
    assert match is not None, pattern
    return match[1]


def test_tasks_are_as_large_and_as_many_as_terraform_makes_them() -> None:
    made = {"consumer": parts.CONSUMER, "level_aggregator": parts.LEVEL_AGGREGATOR, "pruner": parts.PRUNER}
    for name, size in made.items():
        assert found(rf"\b{name} += optional\(object[^{{]*\{{[^{{]*\{{ (.*?) \}}") == (
            f"cpu = {size.vcpu * 1024:.0f}, memory = {size.gigabytes * 1024:.0f}"
        )
    assert found(r"min = optional\(number, (\d+)\)") == str(parts.LEAST_CONSUMERS)
    assert found(r'"level_aggregator_count".*?default += (\d+)') == str(parts.LEVEL_AGGREGATORS)
    assert found(r'"pruner_count".*?default += (\d+)') == str(parts.PRUNERS)


def test_a_task_costs_what_its_hours_cost() -> None:
    """By hand: half a core and 2 GB on ARM."""
    bill = Bill(parts.tasks("consumer", 1, parts.CONSUMER, Choices()), load_prices())

    assert bill.total == pytest.approx(HOURS * (0.5 * 0.03238 + 2 * 0.00356))


def test_consumers_are_two_or_one_per_thousand_events_but_never_more_than_shards() -> None:
    assert parts.consumers(replace(PLAIN, events_per_second=10, players=100)) == 2
    assert parts.consumers(PLAIN) == 10
    assert parts.consumers(replace(PLAIN, shards=4)) == 4


def test_the_map_reads_once_a_second_and_writes_each_level_once_a_minute() -> None:
    """By hand, of so many players that all 200 levels have some, on 24 shards."""
    added = set(ours.lines(PLAIN, PACE, Choices(game_map=True))) - set(ours.lines(PLAIN, PACE, Choices()))
    a_second = {line.what: line.amount / SECONDS for line in added if line.service is Service.DYNAMODB}

    assert a_second["writes: LevelHistory"] == pytest.approx(201 / 60, rel=1e-3)
    assert a_second["writes: game map's lease"] == pytest.approx(3 / 10)
    # LevelState, progress, the two lists of shards; three minutes of Transitions, of 6,000 moves each, most unlike.
    moves = a_second["reads: game map's looks"] - (200 * 60 / 4096 + 0.5 * 28 + 2 * (24 + 4 * 12) * 500 / 4096 / 10)
    assert 0.6 < moves / (3 * 0.5 * 6000 * 165 / 4096) < 1
    assert {line.what for line in added if line.service is Service.FARGATE} == {"game_map"}


def test_of_a_small_game_few_levels_are_written() -> None:
    load = Load(10, 20)
    assert 1 < seen_levels(load) < 20
    assert seen_levels(replace(load, players=2000, events_per_second=1000)) > 199


def test_no_audits_cost_nothing() -> None:
    lines = ours.lines(PLAIN, replace(PACE, audit=0), Choices())

    assert [line.amount for line in lines if line.what == "reads: live audits"] == [0]
