"""What a consumer does when a part of it dies or stalls: it counts again within seconds, and leaves nothing behind."""

import signal
import time
from collections.abc import Callable

import psutil
import pytest

from tests.conftest import Measure
from tests.integration.conftest import MakeSite
from tests.integration.events import level_event
from tests.integration.service import GONE_SECONDS, Service, is_alive
from tests.integration.sites import Site
from tests.integration.waiting import eventually

COUNTS_AGAIN_SECONDS = 15.0
STALL_SECONDS = 6.0
DAEMON_STARTS = "headcount_daemon_starts_total"
TEST_SECONDS = 60.0  # when even a late recovery is given up, so that a failure tells how late it was


class Recovering:
    """A consumer of one shard, random worker id, that a test may hurt; the next test finds it well again."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.consumer = self.start()
        self._events = 0

    def start(self) -> Service:
        """Start a consumer with the settings of these tests."""
        self.consumer = self.site.start("consumer", HEADCOUNT_STALL_SECONDS=f"{STALL_SECONDS:g}")
        return self.consumer

    def healthy(self) -> psutil.Process:
        """The only worker, once an event was counted."""
        [worker] = self.consumer.wait_for_workers(1)
        self.counts_again(TEST_SECONDS)
        return worker

    def counts_again(self, seconds: float) -> float:
        """Put an event and wait until PlayerState has it; returns how long that took, from now."""
        begun = time.monotonic()
        self._events += 1
        player = f"player-{self._events}"
        self.site.put(0, level_event(player, "forest", round(time.time() * 1000)))
        eventually(lambda: self.site.players.get(player), seconds, f"{player} in PlayerState")
        return time.monotonic() - begun


@pytest.fixture(scope="module")
def recovering(make_site: MakeSite) -> Recovering:
    """One consumer for all tests."""
    return Recovering(make_site("recovery", shards=1))


def worker_of(consumer: Service) -> psutil.Process:
    [worker] = consumer.workers()
    return worker


def daemon_of(consumer: Service) -> psutil.Process:
    daemon = consumer.daemon()
    assert daemon is not None
    return daemon


def test_a_spare_is_not_ready_and_stops_cleanly_even_while_it_starts(recovering: Recovering) -> None:
    """Another consumer has the only shard. A SIGTERM finds the JVM before its own handlers are in place."""
    recovering.healthy()
    spare = recovering.site.start("consumer")
    eventually(spare.daemon, TEST_SECONDS, "the spare's daemon")
    answers = [spare.get(path)[0] for path in ("/readyz", "/healthz")]
    assert spare.drain() == 0
    assert answers == [503, 200]


@pytest.mark.parametrize("part", [worker_of, daemon_of], ids=["idle worker", "daemon"])
def test_a_killed_part_is_replaced(
    recovering: Recovering, part: Callable[[Service], psutil.Process], measure: Measure
) -> None:
    """Kill -9: noticed before the next event, and the supervisor starts the daemon anew."""
    recovering.healthy()
    supervisor, *others = recovering.consumer.family()
    assert len(others) == 2
    begun = time.monotonic()
    part(recovering.consumer).kill()
    eventually(lambda: not any(map(is_alive, others)), COUNTS_AGAIN_SECONDS, "the old daemon and worker to be gone")
    recovering.counts_again(TEST_SECONDS)
    took = time.monotonic() - begun
    measure(f"consumer counts again after kill -9 of its {part.__name__.removesuffix('_of')}", took)
    assert took < COUNTS_AGAIN_SECONDS
    assert is_alive(supervisor)


def test_a_killed_supervisor_takes_all_with_it_and_another_takes_over(recovering: Recovering, measure: Measure) -> None:
    """Kill -9 of the service: daemon and worker end by themselves; the next one waits for the lease to expire."""
    recovering.healthy()
    supervisor, *others = recovering.consumer.family()
    assert len(others) == 2
    begun = time.monotonic()
    supervisor.kill()
    eventually(lambda: not any(map(is_alive, others)), GONE_SECONDS, "daemon and worker to be gone")
    measure("daemon and worker gone after kill -9 of their supervisor", time.monotonic() - begun)
    assert recovering.consumer.wait() != 0
    recovering.start()
    took = recovering.counts_again(TEST_SECONDS)
    measure("consumer counts again after kill -9 of its supervisor, and a restart", took)
    assert took < COUNTS_AGAIN_SECONDS


def test_a_stopped_worker_is_noticed_and_replaced(recovering: Recovering, measure: Measure) -> None:
    """SIGSTOP: alive, and doing nothing. After HEADCOUNT_STALL_SECONDS the daemon is ended, and the worker with it."""
    worker = recovering.healthy()
    starts = recovering.consumer.metrics()[DAEMON_STARTS, ""]
    worker.send_signal(signal.SIGSTOP)
    took = recovering.counts_again(TEST_SECONDS)
    measure(f"consumer counts again after SIGSTOP of its worker, {STALL_SECONDS:.0f} s of stall included", took)
    assert took < STALL_SECONDS + COUNTS_AGAIN_SECONDS
    assert not is_alive(worker)
    assert recovering.consumer.exit_code() is None
    assert recovering.consumer.metrics()[DAEMON_STARTS, ""] == starts + 1
