"""The system suite runs against the containers. It imports nothing of the project: only AWS' APIs, HTTP and docker.

It uses what is up, or brings it up itself and takes it down again at its end. ``SYSTEM_CONSUMERS``: how many consumers
it then starts.
"""

from collections.abc import Iterator

import pytest

from tests.system import engine
from tests.system.game import Game
from tests.system.outcome import Outcome
from tests.system.prometheus import Prometheus
from tests.system.tables import Aws

STOP_SECONDS = 75


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the game to be over comes last."""
    items.sort(key=lambda item: "outcome" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def _project() -> Iterator[None]:
    if all(engine.containers(service) for service in engine.SERVICES):
        yield
        return
    engine.up()
    yield
    engine.compose("stop", "--timeout", str(STOP_SECONDS), seconds=3 * STOP_SECONDS)
    codes = {}
    for service in engine.compose("ps", "--all", "--services").split():
        for container in engine.containers(service, running=False):
            codes[f"{service} {container[:12]}"] = engine.inspect(container)["State"]["ExitCode"]
    engine.compose("down", "--volumes", "--timeout", str(STOP_SECONDS), seconds=120)
    assert not any(codes.values()), f"not every container ended well: {codes}"


@pytest.fixture(scope="session")
def aws(_project: None) -> Iterator[Aws]:
    """The emulated AWS."""
    found = Aws(engine.address("localstack", 4566))
    yield found
    found.close()


@pytest.fixture
def prometheus(_project: None) -> Prometheus:
    """The project's Prometheus; where it is reached may change with each start of its container."""
    return Prometheus(engine.address("prometheus", 9090))


@pytest.fixture(scope="session")
def game(aws: Aws) -> Iterator[Game]:
    """A game that is played all the while."""
    playing = Game(aws)
    playing.start()
    yield playing
    playing.finish()


@pytest.fixture(scope="session")
def outcome(aws: Aws, game: Game) -> Outcome:
    """The tables once the game is over, the demo's traffic has stopped, and everything has settled."""
    return Outcome.of(aws, game)
