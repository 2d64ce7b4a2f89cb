"""When a supervisor is healthy, and when it is ready."""

import pytest

from headcount.kcl.leases import Leases
from headcount.kcl.readiness import Readiness
from headcount.settings import Settings
from tests.fakes.clock import Clock
from tests.fakes.signs import FakeChildren, FakeHeartbeat, FakeWatch

SETTINGS = Settings(failover_seconds=2, stall_seconds=300, start_timeout_seconds=60)
MINE = Leases(mine=1, all_moved=True)
SPARE = Leases(others=2, all_moved=True)


class _Supervisor:
    """Ticks as the real one does; worker and daemon are well until told otherwise."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.clock = Clock()
        self.children = FakeChildren(self.clock)
        self.heartbeat = FakeHeartbeat(self.clock)
        self.watch = FakeWatch()
        self.readiness = Readiness(settings, self.children, self.heartbeat, self.watch, self.clock)

    def works(self, leases: Leases = MINE) -> None:
        """The daemon has started, and a worker if there is a lease for one."""
        self.readiness.daemon_starts()
        self.watch.leases = leases
        self.pass_time(1, working=leases.mine > 0)

    def pass_time(self, seconds: float, *, beating: bool = True, working: bool = True) -> None:
        for _ in range(round(seconds)):
            self.clock.now += 1
            if beating:
                self.heartbeat.beat()
            if working:
                self.children.last_batch["a"] = self.clock()
            self.readiness.tick()

    def unready(self) -> list[str]:
        return self.readiness.ready().problems


@pytest.fixture
def supervisor() -> _Supervisor:
    return _Supervisor()


def test_before_the_daemon_runs_it_is_healthy_and_not_ready(supervisor: _Supervisor) -> None:
    assert supervisor.readiness.healthy().problems == []
    assert supervisor.unready() == ["the KCL daemon is not running"]


def test_a_daemon_becomes_ready_with_its_first_worker(supervisor: _Supervisor) -> None:
    supervisor.readiness.daemon_starts()
    assert supervisor.unready() == ["the KCL daemon is starting", "no shard is leased yet"]
    supervisor.pass_time(1, working=False)
    assert supervisor.unready() == ["no shard is leased yet"]
    supervisor.watch.leases = Leases(mine=1)
    supervisor.pass_time(1, working=False)
    assert supervisor.unready() == ["no worker has begun yet"]
    supervisor.pass_time(1)
    assert supervisor.unready() == []
    assert supervisor.readiness.ready().warnings == []


def test_a_new_daemon_begins_anew(supervisor: _Supervisor) -> None:
    supervisor.works()
    supervisor.readiness.daemon_ended()
    assert supervisor.unready() == ["the KCL daemon is not running"]
    supervisor.children.last_batch.clear()
    supervisor.readiness.daemon_starts()
    supervisor.pass_time(1, working=False)
    assert supervisor.unready() == ["no worker has begun yet"]


def test_a_silent_daemon_is_unready_long_before_it_is_unhealthy(supervisor: _Supervisor) -> None:
    """A JVM that hangs."""
    supervisor.works()
    supervisor.pass_time(10, beating=False)
    assert supervisor.unready() == []
    supervisor.pass_time(1, beating=False)
    assert supervisor.unready() == ["the KCL daemon has given no sign of life for 11 s"]
    assert supervisor.readiness.healthy().problems == []
    supervisor.pass_time(290, beating=False)
    assert supervisor.readiness.overdue() == "the KCL daemon gave no sign of life for 301 s"
    assert supervisor.readiness.healthy().problems == ["the KCL daemon gave no sign of life for 301 s"]


def test_a_daemon_that_never_gave_a_sign_of_life_has_the_time_of_its_start_on_top(supervisor: _Supervisor) -> None:
    supervisor.readiness.daemon_starts()
    supervisor.pass_time(360, beating=False, working=False)
    assert supervisor.readiness.overdue() is None
    supervisor.pass_time(1, beating=False, working=False)
    assert supervisor.readiness.overdue() == "the KCL daemon gave no sign of life for 361 s"


def test_a_worker_without_a_batch_is_slow_then_stuck(supervisor: _Supervisor) -> None:
    supervisor.works()
    supervisor.pass_time(30, working=False)
    assert supervisor.unready() == []
    supervisor.pass_time(1, working=False)
    assert supervisor.unready() == ["the worker of a has finished no batch for 30 s"]
    assert supervisor.readiness.healthy().problems == []
    supervisor.pass_time(270, working=False)
    assert supervisor.readiness.overdue() == "workers are stuck: a"
    assert supervisor.readiness.healthy().problems == ["workers are stuck: a"]


def test_a_short_stall_time_is_the_most_for_the_others() -> None:
    supervisor = _Supervisor(Settings(failover_seconds=2, stall_seconds=5))
    supervisor.works()
    supervisor.pass_time(6, beating=False, working=False)

    assert "the KCL daemon has given no sign of life for 6 s" in supervisor.unready()
    assert "the worker of a has finished no batch for 5 s" in supervisor.unready()


def test_a_long_failover_time_makes_all_of_it_longer() -> None:
    supervisor = _Supervisor(Settings(failover_seconds=20, stall_seconds=300))
    supervisor.works()
    supervisor.pass_time(60, beating=False, working=False)

    assert supervisor.unready() == []


def test_a_loop_that_stands_still_is_unhealthy(supervisor: _Supervisor) -> None:
    supervisor.works()
    supervisor.clock.now += 301

    assert "the supervisor has not moved for 301 s" in supervisor.readiness.healthy().problems


def test_a_spare_is_ready_and_says_so(supervisor: _Supervisor) -> None:
    """A rollout with more processes than shards must not hang."""
    supervisor.works(SPARE)

    assert supervisor.unready() == []
    assert supervisor.readiness.ready().warnings == ["spare: other processes hold every lease (2)"]


@pytest.mark.parametrize(
    "leases",
    [
        Leases(),
        Leases(others=2),
        Leases(others=1, stalled=("b",), all_moved=True),
        Leases(others=1, stalled=("b",), still=("b",)),
    ],
    ids=["no lease", "not seen to move", "one unowned", "one stands still"],
)
def test_without_a_lease_and_not_all_of_them_in_good_hands_it_is_no_spare(
    supervisor: _Supervisor, leases: Leases
) -> None:
    supervisor.works(leases)

    assert supervisor.unready()[-1] == "no shard is leased yet"
    assert supervisor.readiness.ready().warnings == []


def test_the_end_of_a_shard_and_a_takeover_leave_it_ready(supervisor: _Supervisor) -> None:
    """For some seconds there is a lease and no worker, or no lease that is known to move."""
    supervisor.works()
    supervisor.children.last_batch.clear()
    supervisor.watch.leases = Leases(stalled=("b",))
    supervisor.pass_time(5, working=False)
    assert supervisor.unready() == []
    supervisor.watch.leases = MINE
    supervisor.pass_time(5, working=False)
    assert supervisor.unready() == []
    supervisor.pass_time(21, working=False)
    assert supervisor.unready() == ["no worker has begun yet"]


def test_a_lease_that_nobody_renews_is_everybodys_problem(supervisor: _Supervisor) -> None:
    supervisor.works(Leases(mine=1, stalled=("b",), still=("b",)))

    assert supervisor.unready() == ["nobody renews the lease of b"]


def test_what_the_watch_finds_is_a_problem_and_what_the_service_warns_of_is_none(supervisor: _Supervisor) -> None:
    supervisor.works()
    supervisor.readiness.warnings = ["look here"]
    assert (supervisor.unready(), supervisor.readiness.ready().warnings) == ([], ["look here"])

    supervisor.watch.found = ["DynamoDB gives no answer"]
    assert supervisor.unready() == ["DynamoDB gives no answer"]


def test_who_is_stopping_is_not_ready(supervisor: _Supervisor) -> None:
    supervisor.works()
    supervisor.readiness.stopping()

    assert supervisor.unready() == ["the service is stopping"]
    assert supervisor.readiness.healthy().problems == []


def test_a_problem_of_the_service_makes_it_unready_and_not_unhealthy(supervisor: _Supervisor) -> None:
    supervisor.works()
    supervisor.readiness.problems = ["a is stopped"]

    assert supervisor.unready() == ["a is stopped"]
    assert supervisor.readiness.healthy().problems == []


def test_what_stands_in_the_daemons_way_is_told_instead_of_its_absence() -> None:
    clock = Clock()
    readiness = Readiness(
        SETTINGS, FakeChildren(clock), FakeHeartbeat(clock), FakeWatch(), clock, obstacle=lambda: "changes are lost"
    )
    assert readiness.ready().problems == ["changes are lost"]
    assert readiness.healthy().problems == []
