"""A shard's end is told twice when a process dies before its checkpoint, maybe to a machine whose clock is behind."""

import pytest

from headcount.kcl.processor import Handler
from tests.fakes.wiring import House

MOST_TOUCHES = 50


class EndlessError(Exception):
    """A handler tries and tries."""


@pytest.mark.parametrize("service", ["consumer", "aggregator"])
@pytest.mark.parametrize("seconds", [0, 5, -5])
def test_an_end_that_is_told_again_by_another_clock_ends(service: str, seconds: int) -> None:
    touches = 0

    def hook(_operation: str, _moment: str) -> None:
        nonlocal touches
        touches += 1
        if touches > MOST_TOUCHES:
            raise EndlessError

    house = House(hook)
    for skew in (0, seconds):
        house.clock.now += skew
        handler: Handler = house.consumer("shard-1") if service == "consumer" else house.aggregator("shard-1")
        handler.start(None)
        handler.settle(everything=True, ended=True)

    [row] = house.progress.rows.values()
    assert row.ended
