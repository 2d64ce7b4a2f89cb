"""The limit on the pruner's deletes."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from pruner.rate import Rate
from tests.fakes.clock import Clock


def rate(per_second: float, clock: Clock) -> Rate:
    return Rate(per_second, clock, clock.sleep)


def test_the_first_take_does_not_wait() -> None:
    clock = Clock()
    rate(1, clock).take()

    assert clock.slept == []


def test_takes_are_evenly_spaced() -> None:
    clock = Clock(0)
    limit = rate(4, clock)
    times = []
    for _ in range(9):
        limit.take()
        times.append(clock.now)

    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.25] * 8)


def test_time_not_used_is_not_saved_up() -> None:
    clock = Clock(0)
    limit = rate(10, clock)
    limit.take()
    clock.now += 100

    for _ in range(11):
        limit.take()

    assert clock.now == pytest.approx(101)


def test_who_takes_seldom_never_waits() -> None:
    clock = Clock(0)
    limit = rate(10, clock)
    for _ in range(5):
        limit.take()
        clock.now += 0.2

    assert clock.slept == []


def test_threads_share_one_limit() -> None:
    waits: list[float] = []
    limit = Rate(10, lambda: 0.0, waits.append)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: limit.take(), range(20)))

    assert sorted(waits) == pytest.approx([0.1 * n for n in range(1, 20)])
