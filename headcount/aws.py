"""AWS clients as every part of Headcount uses them, and the check that what they need is there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from headcount.aws_attempts import count_attempts
from headcount.aws_units import count_units
from headcount.process_metrics import AwsMetrics
from headcount.spending import Spending
from headcount.tables.schema import schemas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

    from headcount.settings import Settings
    from headcount.tables.schema import TableSchema

WRITE_THREADS = 8

# Standard mode backs off and tries again on throttling, on 5xx and on lost connections: up to ~1 minute in all.
ATTEMPTS = 8
# A person waits for the check at the start; whoever runs the service tries again.
ATTEMPTS_AT_START = 3
# A heartbeat that comes late is worth nothing: one short try.
HEARTBEAT_SECONDS = 3.0
_HEARTBEAT_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)


class UnavailableError(Exception):
    """What a service needs in AWS is missing or can't be reached; the message is one line for a person."""


@dataclass(frozen=True)
class Aws:
    """Clients for one region, made when first asked for; endpoints and credentials by AWS's own chain."""

    region: str | None = None
    attempts: int = ATTEMPTS
    metrics: AwsMetrics = field(default_factory=AwsMetrics)
    spending: Spending = field(default_factory=Spending)

    def at_start(self) -> Aws:
        """The same for the checks at the start, which give up sooner."""
        return replace(self, attempts=ATTEMPTS_AT_START)

    @cached_property
    def _config(self) -> Config:
        return Config(
            retries={"mode": "standard", "total_max_attempts": self.attempts},
            connect_timeout=3,
            read_timeout=10,
            max_pool_connections=WRITE_THREADS * 2,
            parameter_validation=False,  # a third of what a write takes of the processor, and mypy has looked
        )

    @cached_property
    def _session(self) -> boto3.Session:
        session = boto3.Session(region_name=self.region)
        count_attempts(session, self.metrics)
        count_units(session.events, self.metrics, self.spending)
        return session

    def _client(self, service: str, config: Config) -> Any:
        try:
            return self._session.client(service, region_name=self.region_name, config=config)  # type: ignore[call-overload] # any service
        except ValueError as error:
            raise UnavailableError(f"{error}. Check AWS_ENDPOINT_URL and AWS_REGION.") from error

    @cached_property
    def region_name(self) -> str:
        """The region all clients speak to. Raises `UnavailableError` where none is set."""
        if not self._session.region_name:
            raise UnavailableError("No AWS region is set. Set AWS_REGION, for example AWS_REGION=us-east-1.")
        return self._session.region_name

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Client for the tables."""
        client: DynamoDBClient = self._client("dynamodb", self._config)
        return client

    @cached_property
    def heartbeat_dynamodb(self) -> DynamoDBClient:
        """Client for heartbeats: fails within `HEARTBEAT_SECONDS` instead of trying again."""
        client: DynamoDBClient = self._client("dynamodb", _HEARTBEAT_CONFIG)
        return client

    @cached_property
    def streams(self) -> DynamoDBStreamsClient:
        """Client for the tables' streams."""
        client: DynamoDBStreamsClient = self._client("dynamodbstreams", self._config)
        return client

    @cached_property
    def s3(self) -> S3Client:
        """Client for the snapshots' bucket."""
        # A bucket's name before an emulator's is a host that nobody knows.
        is_emulated = bool({"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} & os.environ.keys())
        style = Config(s3={"addressing_style": "path" if is_emulated else "auto"})
        client: S3Client = self._client("s3", self._config.merge(style))
        return client

    @cached_property
    def kinesis(self) -> KinesisClient:
        """Client for the events' stream."""
        client: KinesisClient = self._client("kinesis", self._config)
        return client


def explained(error: BotoCoreError | ClientError, what: str) -> UnavailableError:
    """``error`` met while reaching ``what``, as one line that names both."""
    if isinstance(error, ClientError):
        if is_missing(error):
            return UnavailableError(
                f"{what} does not exist in this account and region. Check its name and the region, "
                "or make it with: python -m headcount setup"
            )
        return UnavailableError(f"{what} can't be used: {error}")
    if isinstance(error, NoCredentialsError):
        return UnavailableError(
            "No AWS credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give "
            "the task a role."
        )
    text = " ".join(str(error).split())
    return UnavailableError(f"{what} can't be reached: {text}")


def is_missing(error: ClientError) -> bool:
    """Whether AWS says that there is no such thing."""
    return error.response.get("Error", {}).get("Code") == "ResourceNotFoundException"


def unusable(client: DynamoDBClient, table: str, schema: TableSchema | None = None) -> UnavailableError | None:
    """Why a table can't be used, or is not of ``schema``; None: it can. Raises botocore's errors if it can't tell."""
    try:
        described = client.describe_table(TableName=table)["Table"]
    except ClientError as error:
        if is_missing(error):
            return explained(error, f"DynamoDB table {table}")
        raise
    status = described["TableStatus"]
    if schema is not None and [key["AttributeName"] for key in described["KeySchema"]] != schema.key:
        found = " and ".join(key["AttributeName"] for key in described["KeySchema"])
        return UnavailableError(
            f"DynamoDB table {table} has the key {found}, not {' and '.join(schema.key)}: it is another kind of table. "
            "Check the names of the tables in the settings."
        )
    if status in {"ACTIVE", "UPDATING"}:
        return None
    return UnavailableError(f"DynamoDB table {table} is {status}, not ACTIVE yet. Try again when it is.")


def verify_tables(aws: Aws, settings: Settings, names: Iterable[str]) -> None:
    """Raise `UnavailableError` unless each of these tables of ``settings`` is there, ACTIVE and has the key it must."""
    by_name = {schema.name: schema for schema in schemas(settings)}
    for name in names:
        try:
            problem = unusable(aws.dynamodb, name, by_name[name])
        except (BotoCoreError, ClientError) as error:
            raise explained(error, f"DynamoDB table {name}") from error
        if problem is not None:
            raise problem


@dataclass(frozen=True)
class StreamIdentity:
    """A stream's (or streamed table's) name and when it was made, which tells it from an earlier one of that name."""

    name: str
    created: str

    def __str__(self) -> str:
        return f"{self.name}@{self.created}"


def verify_stream(aws: Aws, name: str) -> StreamIdentity:
    """Identity of an ACTIVE Kinesis stream; raises `UnavailableError` otherwise."""
    try:
        summary = aws.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    except (BotoCoreError, ClientError) as error:
        raise explained(error, f"Kinesis stream {name}") from error
    if summary["StreamStatus"] not in {"ACTIVE", "UPDATING"}:
        raise UnavailableError(f"Kinesis stream {name} is {summary['StreamStatus']}, not ACTIVE yet.")
    return StreamIdentity(name, str(int(summary["StreamCreationTimestamp"].timestamp())))


def verify_table_stream(aws: Aws, table: str) -> tuple[str, StreamIdentity]:
    """ARN and identity of a table's stream; raises `UnavailableError` where it has none with both images."""
    try:
        described = aws.dynamodb.describe_table(TableName=table)["Table"]
    except (BotoCoreError, ClientError) as error:
        raise explained(error, f"DynamoDB table {table}") from error
    arn = described.get("LatestStreamArn")
    view = described.get("StreamSpecification", {}).get("StreamViewType")
    if not arn or view != "NEW_AND_OLD_IMAGES":
        raise UnavailableError(
            f"DynamoDB table {table} has no stream with NEW_AND_OLD_IMAGES. Enable it, or use a new table made by: "
            "python -m headcount setup"
        )
    return arn, StreamIdentity(table, described.get("LatestStreamLabel", ""))
