"""`python -m headcount setup`: makes stream, tables and bucket in a fresh account or emulator; leaves what is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from headcount.aws import Aws, UnavailableError, explained
from headcount.bucket import make_bucket
from headcount.tables.schema import TableSchema, schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.settings import Settings

_WAIT_SECONDS = 300


def provision(aws: Aws, settings: Settings, shards: int, say: Callable[[str], None]) -> None:
    """Make what is missing and wait until all of it is ACTIVE, the tables' streams too.

    Idempotent. ``shards`` is for a new stream only. Raises `UnavailableError`, in one line, when AWS refuses or what
    exists has another shape.
    """
    what = f"Kinesis stream {settings.events_stream}"
    try:
        made = _stream(aws, settings.events_stream, shards)
        say(f"{what}: {'made' if made else 'was there'}")
        for table in schemas(settings):
            what = f"DynamoDB table {table.name}"
            made = _table(aws, table)
            say(f"{what}: {'made' if made else 'was there'}")
        if settings.map_bucket is not None:
            what = f"S3 bucket {settings.map_bucket}"
            say(f"{what}: {'made' if make_bucket(aws, settings.map_bucket) else 'was there'}")
    except (BotoCoreError, ClientError) as error:
        raise explained(error, what) from error


def _stream(aws: Aws, name: str, shards: int) -> bool:
    kinesis = aws.kinesis
    try:
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        made = True
    except kinesis.exceptions.ResourceInUseException:
        made = False
    _wait(
        f"Kinesis stream {name}",
        lambda: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"],
    )
    return made


def _table(aws: Aws, table: TableSchema) -> bool:
    dynamodb = aws.dynamodb
    try:
        dynamodb.create_table(**table.creation())
        made = True
    except dynamodb.exceptions.ResourceInUseException:
        made = False
    _wait(f"DynamoDB table {table.name}", lambda: dynamodb.describe_table(TableName=table.name)["Table"]["TableStatus"])
    described = dynamodb.describe_table(TableName=table.name)["Table"]
    expected = table.creation()
    kinds = {entry["AttributeName"]: entry["AttributeType"] for entry in described["AttributeDefinitions"]}
    strings = all(kinds.get(key["AttributeName"]) == "S" for key in expected["KeySchema"])
    if [dict(key) for key in described["KeySchema"]] != expected["KeySchema"] or not strings:
        raise UnavailableError(f"DynamoDB table {table.name} exists with another key. Name another table in settings.")
    if table.stream:
        if described.get("StreamSpecification", {}).get("StreamViewType") != "NEW_AND_OLD_IMAGES":
            dynamodb.update_table(TableName=table.name, StreamSpecification=expected["StreamSpecification"])
        # What is written before the stream is active never shows in it.
        _wait(f"Stream of DynamoDB table {table.name}", lambda: _stream_status(aws, table.name), good="ENABLED")
    if table.ttl:
        now = dynamodb.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
        enabled = now.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
        if enabled and now.get("AttributeName") != table.ttl:
            raise UnavailableError(
                f"DynamoDB table {table.name} expires rows by {now.get('AttributeName')}, not by {table.ttl}. "
                "Disable its TTL and run setup again, or name another table in settings."
            )
        if not enabled:
            dynamodb.update_time_to_live(
                TableName=table.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl}
            )
    return made


def _stream_status(aws: Aws, table: str) -> str:
    arn = aws.dynamodb.describe_table(TableName=table)["Table"].get("LatestStreamArn")
    if not arn:
        return "absent"
    try:
        return aws.streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"]
    except aws.streams.exceptions.ResourceNotFoundException:
        return "absent"  # LocalStack knows the ARN half a second before the stream


def _wait(what: str, status: Callable[[], str], good: str = "ACTIVE") -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while (now := status()) != good:
        if time.monotonic() > deadline:
            raise UnavailableError(f"{what} is still {now} after {_WAIT_SECONDS} s. Run setup again later.")
        time.sleep(0.2)
