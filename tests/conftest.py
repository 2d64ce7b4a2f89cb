"""What all tests share: the emulators, one of each per session, and a place where measurements are told.

The project is imported only by who asks for an emulator: the system suite loads this file too, and imports none of it.
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from headcount.demo.dynamodb_local import DynamoDbLocal
    from headcount.demo.ministack import MiniStack
    from tests.lanes import Lanes
    from tests.localstack import LocalStack

DYNAMODB_LOCAL = Path(__file__).resolve().parents[1] / ".cache" / "dynamodb-local"
_MEASURED = "measured"
_NOT_TESTED = "NOT TESTED"  # how the reason of a skip begins that a person must hear of

_BEFORE = pytest.StashKey[Callable[[str], None]]()

Measure = Callable[[str, float], None]


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[DynamoDbLocal]:
    """AWS's own DynamoDB, fetched if need be."""
    from headcount.demo.dynamodb_local import DynamoDbLocal  # noqa: PLC0415 (see above)
    from headcount.kcl.java.build import install_dynamodb_local  # noqa: PLC0415 (see above)

    DYNAMODB_LOCAL.parent.mkdir(exist_ok=True)
    with DYNAMODB_LOCAL.with_suffix(".lock").open("w") as lock:  # one of the processes fetches it, the others find it
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_dynamodb_local(DYNAMODB_LOCAL)
    with DynamoDbLocal(DYNAMODB_LOCAL) as server:
        yield server


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """All of AWS that we use."""
    from headcount.demo.ministack import MiniStack  # noqa: PLC0415 (see above)

    with MiniStack() as server:
        yield server


@pytest.fixture(scope="session")
def localstack() -> Iterator[LocalStack]:
    """The emulator of the containers; skips, loudly, where no engine runs."""
    from tests.localstack import NOT_TESTED, LocalStack, is_to_be_had  # noqa: PLC0415 (see above)

    if not is_to_be_had():
        pytest.skip(NOT_TESTED)
    with LocalStack() as server:
        yield server


@pytest.fixture
def measure(record_property: Callable[[str, object], None]) -> Measure:
    """Notes seconds under a name; they are printed at the end of the run."""

    def note(what: str, seconds: float) -> None:
        record_property(_MEASURED, f"{what}: {seconds:.1f} s")

    return note


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes:
    """Of `make test`, which runs tests in several processes."""
    from tests.lanes import Lanes  # noqa: PLC0415 (see above)

    return Lanes(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In each of those processes, the lanes in their order."""
    if hasattr(config, "workerinput"):
        from tests.lanes import Manners, rank  # noqa: PLC0415 (see above)

        items.sort(key=lambda item: rank(item.nodeid))
        config.stash[_BEFORE] = Manners().before


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What is not timed gives way to what is."""
    if before := item.config.stash.get(_BEFORE, None):
        before(item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, and what could not be tested for want of a tool."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    lines = [value for report in reports for name, value in getattr(report, "user_properties", []) if name == _MEASURED]
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.line(line)
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    untested = Counter(reason[reason.index(_NOT_TESTED) :].strip("'()") for reason in skipped if _NOT_TESTED in reason)
    if untested:
        terminalreporter.section(f"{untested.total()} tests did not run", sep="!", red=True, bold=True)
        for reason, count in untested.items():
            terminalreporter.line(f"{count}: {reason}", red=True)
