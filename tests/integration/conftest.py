"""What integration tests share: an AWS each, and a place in it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.fakes.emulated import Emulated
from tests.integration.sites import Site

MakeSite = Callable[..., Site]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that names ``EMULATORS`` runs on each of them; the others on MiniStack, the quickest."""
    if "emulator" in metafunc.fixturenames:
        names = getattr(metafunc.module, "EMULATORS", ("ministack",))
        metafunc.parametrize("emulator", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def emulator(request: pytest.FixtureRequest) -> Emulated:
    """The AWS that the module's tests run on in turn."""
    found: Emulated = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def make_site(emulator: Emulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSite]:
    """Makes a `Site`, for as long as the module's tests run: ``make_site(name, shards=…, HEADCOUNT_…=…)``."""
    with ExitStack() as sites:

        def make(name: str, *, shards: int = 2, **settings: str) -> Site:
            directory = tmp_path_factory.mktemp(name)
            return sites.enter_context(Site(emulator.endpoint_url, name, directory, shards=shards, **settings))

        yield make
