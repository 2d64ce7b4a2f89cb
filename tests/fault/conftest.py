"""What the fault tests share: an AWS per module, games, and the table of what the faults led to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from headcount.demo.dynamodb_local import DynamoDbLocal
from headcount.demo.ministack import MiniStack
from headcount.kcl.java.build import install_dynamodb_local
from tests.conftest import DYNAMODB_LOCAL
from tests.fault.findings import Finding, Findings
from tests.fault.game import SETTINGS, Game
from tests.fault.toxic import Toxic
from tests.integration.sites import Site

ROOT = Path(__file__).resolve().parents[2]
PAGE, REPORT = ROOT / "docs" / "correctness.md", ROOT / "build" / "faults.json"
HEAP_MEGABYTES = 1024  # all stream records of a long run stay in memory
_FINDINGS = pytest.StashKey[Findings]()

MakeSite = Callable[..., Site]
MakeGame = Callable[..., Game]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--write-table``, for a run of everything."""
    parser.addoption("--write-table", action="store_true", help=f"put what the faults led to into {PAGE.name}")


@pytest.fixture(scope="session")
def findings(request: pytest.FixtureRequest) -> Iterator[Findings]:
    """Where a test notes what happened."""
    found = request.config.stash.setdefault(_FINDINGS, Findings())
    yield found
    if request.config.getoption("--write-table"):
        found.write(PAGE, REPORT)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a process of `make test`'s: hand over what was found."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    found = session.config.stash.get(_FINDINGS, None)
    if output is not None and found is not None:
        output["findings"] = [asdict(one) for one in found.all]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it over."""
    found = node.config.stash.setdefault(_FINDINGS, Findings())
    found.all += [Finding(**one) for one in getattr(node, "workeroutput", {}).get("findings", [])]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    found = config.stash.get(_FINDINGS, None)
    if found and found.all:
        terminalreporter.section("faults")
        terminalreporter.line(found.table())


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDbLocal]:
    """AWS's own DynamoDB, a fresh one: with many stream records it gets slower."""
    install_dynamodb_local(DYNAMODB_LOCAL)
    with DynamoDbLocal(DYNAMODB_LOCAL, heap_megabytes=HEAP_MEGABYTES) as server:
        yield server


@pytest.fixture(scope="module")
def kinesis_url() -> Iterator[str]:
    """A Kinesis; a module may bring another one."""
    with MiniStack(services=["kinesis"]) as server:
        yield server.endpoint_url


@pytest.fixture(scope="module")
def toxic(dynamodb: DynamoDbLocal) -> Iterator[Toxic]:
    """The way to DynamoDB, which may be made ill."""
    with Toxic(dynamodb.endpoint_url) as proxy:
        yield proxy


@pytest.fixture
def make_site(
    dynamodb: DynamoDbLocal, kinesis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeSite]:
    """Makes a `Site` for one test: ``make_site(name, shards=…, HEADCOUNT_…=…)``."""
    url = dynamodb.endpoint_url
    own = {"AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": url}
    with ExitStack() as sites:

        def make(name: str, *, shards: int = 2, **settings: str) -> Site:
            directory = tmp_path_factory.mktemp(name)
            every = {**SETTINGS, **own, **settings}
            return sites.enter_context(Site(kinesis_url, name, directory, shards=shards, **every))

        yield make


@pytest.fixture
def make_game(make_site: MakeSite) -> Iterator[MakeGame]:
    """Makes a `Game` for one test, not yet begun: ``make_game(name, seed, proxy=…, HEADCOUNT_…=…)``."""
    with ExitStack() as games:

        def make(
            name: str, seed: int, *, shards: int = 2, rate: float = 60.0, proxy: str | None = None, **settings: str
        ) -> Game:
            game = Game(make_site(name, shards=shards, **settings), seed, rate=rate, proxy=proxy)
            games.callback(game.close)
            return game

        yield make
