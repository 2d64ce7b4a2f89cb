"""Clients for an emulator, and tables of one's own in it."""

import uuid
from typing import Protocol

import boto3
from botocore.config import Config
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

from headcount.settings import Settings
from headcount.tables.schema import schemas

REGION = "us-east-1"


class Emulated(Protocol):
    """An AWS that is none."""

    @property
    def endpoint_url(self) -> str:
        """Where it answers."""


def session() -> boto3.Session:
    """Credentials that any emulator takes."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106


def dynamodb(emulator: Emulated) -> DynamoDBClient:
    """A client that does not try again."""
    config = Config(retries={"total_max_attempts": 1})
    return session().client("dynamodb", endpoint_url=emulator.endpoint_url, config=config)


def streams(endpoint_url: str) -> DynamoDBStreamsClient:
    """A client for the tables' streams."""
    return session().client("dynamodbstreams", endpoint_url=endpoint_url)


def fresh_settings() -> Settings:
    """Settings that name tables and a stream which nobody has."""
    own = uuid.uuid4().hex[:12]
    return Settings(
        events_stream=f"events-{own}",
        player_table=f"PlayerState-{own}",
        level_table=f"LevelState-{own}",
        transitions_table=f"Transitions-{own}",
        progress_table=f"StreamProgress-{own}",
        history_table=f"LevelHistory-{own}",
        dead_letter_table=f"DeadLetters-{own}",
        application=f"headcount-{own}",
    )


def make_tables(client: DynamoDBClient, settings: Settings, *names: str) -> None:
    """Make the named ones of the tables in the settings."""
    for schema in schemas(settings):
        if schema.name in names:
            client.create_table(**schema.creation())
            client.get_waiter("table_exists").wait(TableName=schema.name, WaiterConfig={"Delay": 1})
