"""What integration tests share: the embedded AWS, and a place where their measurements are told."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from headcount.demo.fleet import environment
from headcount.demo.ministack import MiniStack
from tests.integration.refusals import UNREACHABLE_SECONDS, Attempt, Case
from tests.integration.service import free_port
from tests.integration.sites import Site

MakeSite = Callable[..., Site]


@pytest.fixture(scope="module")
def make_site(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSite]:
    """Makes a `Site`, for as long as the module's tests run: ``make_site(name, shards=…, HEADCOUNT_…=…)``."""
    with ExitStack() as sites:

        def make(name: str, *, shards: int = 2, **settings: str) -> Site:
            directory = tmp_path_factory.mktemp(name)
            return sites.enter_context(Site(ministack.endpoint_url, name, directory, shards=shards, **settings))

        yield make


@pytest.fixture(scope="session")
def unreachable() -> Iterator[Attempt]:
    """A consumer whose AWS is not there. It takes its time to say so."""
    line = "Kinesis stream enriched-good can't be reached: Could not connect to the endpoint URL.*"
    nobody = environment(f"http://127.0.0.1:{free_port()}", {"HEADCOUNT_LOG_FORMAT": "json"})
    with Attempt.start(Case("consumer", {}, line, seconds=UNREACHABLE_SECONDS), nobody) as attempt:
        yield attempt


@pytest.fixture(scope="session", autouse=True)
def _slow_ones_first(request: pytest.FixtureRequest) -> None:
    """Begin the one that waits for most of a minute now, if it is asked for: other tests run meanwhile."""
    if any("unreachable" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("unreachable")
