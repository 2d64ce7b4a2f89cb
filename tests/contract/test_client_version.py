"""Pinning the KCL's mode, on the emulators."""

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.kcl.client_version import coordinator_table, pin_client_version
from headcount.settings import Settings

KEY = {"key": {"S": "Migration3.0"}}


@pytest.fixture
def application(settings: Settings) -> str:
    """Nobody's yet."""
    return settings.application


def row(client: DynamoDBClient, application: str) -> dict[str, object]:
    found = client.get_item(TableName=coordinator_table(application), Key=KEY, ConsistentRead=True)
    return dict(found.get("Item", {}))


def test_table_and_row_are_made(client: DynamoDBClient, application: str) -> None:
    pin_client_version(client, application, by="worker-1")

    made = row(client, application)
    assert made.keys() == {"key", "cv", "mb", "mts", "h"}
    assert (made["cv"], made["mb"], made["h"]) == ({"S": "CLIENT_VERSION_2X"}, {"S": "worker-1"}, {"L": []})


def test_a_pinned_mode_is_left_alone(client: DynamoDBClient, application: str) -> None:
    pin_client_version(client, application, by="worker-1")
    before = row(client, application)

    pin_client_version(client, application, by="worker-2")

    assert row(client, application) == before


@pytest.mark.parametrize("mode", [{"S": "CLIENT_VERSION_3X"}, {"S": "CLIENT_VERSION_UPGRADE_FROM_2X"}, None])
def test_another_mode_is_pinned_anew(client: DynamoDBClient, application: str, mode: dict[str, str] | None) -> None:
    pin_client_version(client, application, by="worker-1")
    client.put_item(TableName=coordinator_table(application), Item=KEY | ({"cv": mode} if mode else {}))

    pin_client_version(client, application, by="worker-2")

    assert row(client, application)["cv"] == {"S": "CLIENT_VERSION_2X"}
    assert row(client, application)["mb"] == {"S": "worker-2"}


def test_what_else_the_kcl_keeps_there_stays(client: DynamoDBClient, application: str) -> None:
    pin_client_version(client, application, by="worker-1")
    client.put_item(TableName=coordinator_table(application), Item={"key": {"S": "Leader"}, "owner": {"S": "w"}})

    pin_client_version(client, application, by="worker-1")

    assert client.scan(TableName=coordinator_table(application))["Count"] == 2
