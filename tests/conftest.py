"""The emulators that tests of the tables run against: one of each per session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.demo.dynamodb_local import DynamoDbLocal
from headcount.demo.ministack import MiniStack
from headcount.kcl.java.build import install_dynamodb_local

DYNAMODB_LOCAL = Path(__file__).resolve().parents[1] / ".cache" / "dynamodb-local"


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[DynamoDbLocal]:
    """AWS's own DynamoDB, fetched if need be."""
    install_dynamodb_local(DYNAMODB_LOCAL)
    with DynamoDbLocal(DYNAMODB_LOCAL) as server:
        yield server


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """All of AWS that we use."""
    with MiniStack() as server:
        yield server
