"""What workers spend goes into their own rows, and on from there whoever takes over."""

from dataclasses import replace

import pytest

from headcount.spending import Spending, Untold
from tests.fakes.lines import NOON, event_line, record
from tests.fakes.wiring import STREAM, House

CONSUMER, AGGREGATOR = f"consumer/{STREAM}/shard-1", "level_aggregator/PlayerState@1/shard-1"


@pytest.fixture
def spending() -> Spending:
    """Of a process."""
    return Spending()


def test_what_is_told_is_told_once(spending: Spending) -> None:
    untold = Untold(spending.units)
    spending.add(2.5)
    assert untold.units() == 2
    assert untold.units() == 2, "nobody heard it yet"
    untold.tell(2)
    spending.add(0.5)
    assert untold.units() == 1


def test_a_consumers_row_goes_on_from_worker_to_worker(spending: Spending) -> None:
    house = House()
    house.consumer_parts = replace(house.consumer_parts, spent=spending.units)
    first = house.consumer("shard-1")
    first.start(None)
    spending.add(5)
    first.settle(everything=True)
    spending.add(1)
    first.settle(everything=True)
    assert house.progress.rows[CONSUMER].units == 6

    house.consumer_parts = replace(house.consumer_parts, spent=lambda: 3)
    second = house.consumer("shard-1")
    second.start(None)
    second.handle([record(1, event_line("ann", "A", NOON), NOON)], caught_up=True)
    second.settle(everything=True)
    assert house.progress.rows[CONSUMER].units == 9
    spending.add(4)
    first.settle(everything=True)  # has lost its lease, and spent that nevertheless
    assert house.progress.rows[CONSUMER].units == 13


def test_an_aggregators_row_moves_with_transactions_and_without(spending: Spending) -> None:
    house = House()
    house.aggregator_parts = replace(house.aggregator_parts, spent=spending.units)
    handler = house.aggregator("shard-1")
    handler.start(None)
    consumer = house.consumer("shard-1")
    consumer.start(None)
    consumer.handle([record(1, event_line("ann", "A", NOON), NOON)], caught_up=True)
    spending.add(2)
    handler.handle([record(1, house.players.stream[0][1])], caught_up=True)
    assert house.progress.rows[AGGREGATOR].units == 2
    spending.add(8)
    handler.settle(everything=True, ended=True)
    assert house.progress.rows[AGGREGATOR].units == 10
