"""What each contract suite runs on: the fakes in memory, and three emulators."""

from collections.abc import Iterator
from typing import cast

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.settings import Settings
from tests.fakes.dynamodb import MemoryDynamoDb
from tests.fakes.emulated import Emulated, dynamodb, fresh_settings

PROCESS = "this_process"  # the simulator's DynamoDB
EMULATORS = ("dynamodb_local", "ministack", "localstack")


@pytest.fixture(scope="session")
def clients() -> Iterator[dict[str, DynamoDBClient]]:
    """One client per emulator."""
    made: dict[str, DynamoDBClient] = {}
    yield made
    for client in made.values():
        client.close()


@pytest.fixture(params=EMULATORS)
def client(request: pytest.FixtureRequest, clients: dict[str, DynamoDBClient]) -> DynamoDBClient:
    """Of each emulator in turn."""
    return client_of(request.param, request, clients)


@pytest.fixture
def settings() -> Settings:
    """Names of tables that nobody has yet."""
    return fresh_settings()


def client_of(name: str, request: pytest.FixtureRequest, clients: dict[str, DynamoDBClient]) -> DynamoDBClient:
    """The client of an emulator, which is started when first asked for."""
    if name == PROCESS:
        return cast("DynamoDBClient", MemoryDynamoDb())
    if name not in clients:
        emulator: Emulated = request.getfixturevalue(name)
        clients[name] = dynamodb(emulator)
    return clients[name]


@pytest.fixture(params=("memory", PROCESS, *EMULATORS))
def place(request: pytest.FixtureRequest, clients: dict[str, DynamoDBClient]) -> DynamoDBClient | None:
    """Where the repository is: None for memory, else a client."""
    return None if request.param == "memory" else client_of(request.param, request, clients)
