"""When the pruner is healthy, and when it is ready."""

import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ReadTimeoutError

from headcount.lifecycle import Stop
from headcount.settings import Settings
from pruner.__main__ import STILL_SECONDS, Pruner
from pruner.sweep import Sweep, Swept
from tests.fakes.clock import Clock

COMPLETE = Swept(cutoff=1000, rose=True, waiting=[], complete=True)
PARTIAL = Swept(cutoff=None, rose=False, waiting=[])
LAST_PASS = "headcount_pruner_complete_pass_timestamp_seconds"  # noqa: S105 (a pass, no password)


class _Pruner:
    """Runs the passes given, one after the other, then stops."""

    def __init__(self, *passes: Callable[[Callable[[], bool]], Swept], stall: float = 300) -> None:
        self.clock, self._passes, self._stopped = Clock(), list(passes), False
        settings = Settings(prune_interval_seconds=30, stall_seconds=stall)
        house = self

        class _Sweep(Sweep):
            def __init__(self) -> None:
                pass

            def run(self, stopping: Callable[[], bool] = lambda: False) -> Swept:
                return house._passes.pop(0)(stopping)

        class _Stop(Stop):
            def is_asked(self) -> bool:
                return not house._passes

            def wait(self, seconds: float) -> bool:
                house.clock.now += seconds
                return self.is_asked()

        self.pruner = Pruner(settings, _Sweep(), _Stop(), self.clock)

    def run(self) -> None:
        assert self.pruner.run() == 0

    def unready(self) -> list[str]:
        return self.pruner.ready().problems


def passing(_: Callable[[], bool]) -> Swept:
    return COMPLETE


def failing(_: Callable[[], bool]) -> Swept:
    raise ReadTimeoutError(endpoint_url="memory")


def test_a_pass_that_fails_makes_it_unready_until_one_goes_through() -> None:
    seen: list[list[str]] = []

    def look(_: Callable[[], bool]) -> Swept:
        seen.append(one.unready())
        return COMPLETE

    one = _Pruner(look, failing, look, look)
    one.run()

    assert seen == [[], ['the last pass failed: Read timeout on endpoint URL: "memory"'], []]
    assert one.pruner.healthy().problems == []


@pytest.mark.parametrize(("stall", "limit"), [(300, STILL_SECONDS), (5, 5)])
def test_a_pass_that_hangs_is_unready_long_before_botocore_gives_up(stall: float, limit: float) -> None:
    seen: list[list[str]] = []

    def hang(stopping: Callable[[], bool]) -> Swept:
        one.clock.now += 1000
        assert not stopping()  # a step: it goes on
        for seconds in (limit, 1):
            one.clock.now += seconds
            seen.append(one.unready())
        return COMPLETE

    one = _Pruner(hang, passing, stall=stall)
    one.run()

    assert seen == [[], [f"AWS has not answered for {limit + 1:.0f} s"]]
    assert one.unready() == []


def test_a_long_pass_that_goes_on_and_a_long_interval_are_ready() -> None:
    seen: list[list[str]] = []

    def long(stopping: Callable[[], bool]) -> Swept:
        for _ in range(100):
            one.clock.now += STILL_SECONDS
            stopping()
            seen.append(one.unready() + one.pruner.healthy().problems)
        return COMPLETE

    one = _Pruner(long)
    one.run()
    one.clock.now += 29

    assert one.unready() == []
    assert seen == [[]] * 100


def test_a_loop_that_stands_still_is_unhealthy() -> None:
    one = _Pruner()
    one.clock.now += 331

    assert one.pruner.healthy().problems == ["the pruner has not moved for 331 s"]


def test_only_a_complete_pass_is_told_as_one() -> None:
    times: list[float | None] = []

    def look(result: Swept) -> Callable[[Callable[[], bool]], Swept]:
        def run(_: Callable[[], bool]) -> Swept:
            times.append(one.pruner.registry.get_sample_value(LAST_PASS))
            time.sleep(0.01)
            return result

        return run

    one = _Pruner(look(PARTIAL), look(COMPLETE), look(PARTIAL))
    one.run()
    begun, after_partial, after_complete = times

    assert begun == after_partial
    assert after_complete is not None
    assert begun is not None
    assert after_complete > begun > 0
