"""LocalStack in a container, for the suites that run on it too; where no engine answers they say so loudly."""

import gc
import warnings
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from docker.client import DockerClient
from docker.errors import DockerException
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

from tests.integration.waiting import patience

SERVICES = "kinesis,dynamodb,dynamodbstreams"
PORT = 4566
START_SECONDS = 120
NOT_TESTED = "NOT TESTED on LocalStack: no container engine answers, or it can't get the image"
_ENV = Path(__file__).resolve().parents[1] / ".env"


def image() -> str:
    """The one that the compose project pins."""
    lines = dict(line.split("=", 1) for line in _ENV.read_text().splitlines() if "=" in line and line[0] != "#")
    return lines["EMULATOR_IMAGE"]


def is_to_be_had() -> bool:
    """Whether an engine answers, and has the image or can pull it."""
    client = _client()
    if client is None:
        return False
    try:
        if not client.images.list(name=image()):
            client.images.pull(image())
    except DockerException:
        return False
    finally:
        client.close()
    return True


def _client() -> DockerClient | None:
    """Of an engine that answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # where nobody answers, docker leaves a socket lying about
        with suppress(DockerException):
            return DockerClient.from_env()
        gc.collect()
    return None


class LocalStack:
    """A LocalStack of its own, for as long as the context is entered; it ends with it."""

    def __init__(self) -> None:
        testcontainers_config.ryuk_disabled = True  # one more image to pull, and more rights than a test should have
        # It takes some hosts for containers themselves, and looks for ports on their bridge.
        testcontainers_config.connection_mode_override = ConnectionMode.docker_host
        answers = HttpWaitStrategy(PORT, "/_localstack/health").with_startup_timeout(round(patience(START_SECONDS)))
        container = DockerContainer(image()).waiting_for(answers)
        # Any free one, on loopback only; the library's own types know of no address.
        container.ports = {f"{PORT}/tcp": ("127.0.0.1", None)}  # type: ignore[dict-item] # docker's own client does
        settings = {"SERVICES": SERVICES, "EAGER_SERVICE_LOADING": "1", "KINESIS_LATENCY": "0"}
        # DynamoDB Local's own streams: docs/adr/0008-local-aws-in-containers.md
        self._container = container.with_envs(**settings, PROVIDER_OVERRIDE_DYNAMODB="v2")

    @property
    def endpoint_url(self) -> str:
        """Where it answers."""
        return f"http://{self._container.get_container_host_ip()}:{self._container.get_exposed_port(PORT)}"

    def __enter__(self) -> Self:
        try:
            self._container.start()
        except BaseException:
            self._container.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._container.stop()
