"""Which tests `make test` may run side by side: each of its processes takes one lane after the other, whole.

Most tests of real processes wait most of the time. Those that fail where something takes too long have one lane, and
all others give way to it, so that what they measure is still the product's own time. A container can't give way: its
group has a share of the processor as a whole. So those on LocalStack come after them, in the same lane.
"""

import os

from xdist.scheduler import LoadScopeScheduling

TIMED = "timed, then on LocalStack"
LOCALSTACK = "localstack"  # one container is enough
NICER = 10  # what gives way
# What says how long a thing took and fails when that is too long; what must have happened within a given time; what
# relies on the pruner's being in time; and what keeps the whole machine busy for a while.
_TIMED = {
    "tests/fault/test_sample.py",
    "tests/integration/test_backlog.py",
    "tests/integration/test_exact_transitions.py",
    "tests/integration/test_kills.py",
    "tests/integration/test_readiness.py",
    "tests/integration/test_recovery.py",
}
_EACH_ALONE = {"tests/integration/test_gap.py"}  # its tests share nothing
# Long ones first, so that all processes end at about the same time.
_ORDER = (
    "tests/terraform/test_terraform.py",
    "tests/integration/test_snapshots.py",
    "tests/integration/test_map_history.py",
    "tests/integration/test_gap.py",
    "tests/integration",
    "tests/contract",
)
_EMULATORS = ("dynamodb_local", "ministack")


def lane(nodeid: str) -> str:
    """Of a test: what shares a fixture of a module shares a lane."""
    module, _, test = nodeid.partition("::")
    parameters = test.partition("[")[2].rstrip("]").split("-")
    if module in _TIMED or LOCALSTACK in parameters:
        return TIMED
    if module in _EACH_ALONE:
        return nodeid
    return " ".join([module, *(name for name in _EMULATORS if name in parameters)])


def is_timed(nodeid: str) -> bool:
    """Whether the test gives way to none."""
    return nodeid.partition("::")[0] in _TIMED


def rank(nodeid: str) -> int:
    """The place of a test in the order of beginning."""
    if lane(nodeid) == TIMED:
        return 0 if is_timed(nodeid) else 1
    return 2 + next((n for n, begin in enumerate(_ORDER) if nodeid.startswith(begin)), len(_ORDER))


class Manners:
    """Of one process: it begins as it was started, and gives way from its first test on that is not timed."""

    def __init__(self) -> None:
        self._gave_way = False

    def before(self, nodeid: str) -> None:
        """A test, and what it starts."""
        if not self._gave_way and not is_timed(nodeid):
            self._gave_way = True
            os.nice(NICER)


class Lanes(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
    """Hands out whole lanes, in the order in which they were collected."""

    def schedule(self) -> None:
        """Begin; without that of the lanes with the most tests, which are not the longest ones."""
        self.config.option.loadscopereorder = False
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)
