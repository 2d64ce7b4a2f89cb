"""Where a measurement takes place: settings of its own, and a fresh DynamoDB for each that writes much."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from benchmarks.driver import FIRST_SHARD, ROOT, Worker
from headcount.demo.dynamodb_local import DynamoDbLocal
from headcount.demo.fleet import environment
from headcount.demo.tsv import APP_ID
from headcount.kcl.java.build import install_dynamodb_local
from headcount.model import Progress
from headcount.settings import Settings
from headcount.tables.progress import ProgressTable
from headcount.tables.schema import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

DYNAMODB_LOCAL = ROOT / ".cache" / "dynamodb-local"
HEAP_MEGABYTES = 1024  # all stream records of a run stay in memory
WARMING_WRITES = 400  # of each kind; Java compiles what runs often
STREAM = "events@1"
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Size:
    """How much is measured: ``runs`` of a pair, and the ``share`` of the records of a whole run."""

    runs: int = 5
    share: float = 1.0
    full: bool = False

    def of(self, number: int) -> int:
        """So many of ``number``."""
        return max(1, round(number * self.share))


@dataclass(frozen=True)
class Database:
    """A DynamoDB with Headcount's tables."""

    client: DynamoDBClient
    endpoint_url: str
    settings: Settings
    player_identity: str  # of PlayerState's stream

    def begin(self, worker: str) -> None:
        """Have a worker find a row of its progress, so that it asks no Kinesis where its shard begins."""
        ProgressTable(self.client, self.settings.progress_table).move(worker, Progress(), Progress(updated_at=1))


@cache
def install() -> None:
    """Fetch DynamoDB Local unless it is there."""
    install_dynamodb_local(DYNAMODB_LOCAL)


@contextmanager
def database(*, heap_megabytes: int = HEAP_MEGABYTES, streams: bool = True) -> Iterator[Database]:
    """A fresh DynamoDB Local, its tables made, its Java warm: one with many stream records gets slower."""
    install()
    with DynamoDbLocal(DYNAMODB_LOCAL, heap_megabytes=heap_megabytes) as server:
        client = connect(server.endpoint_url)
        settings = Settings()
        for schema in schemas(settings):
            creation = schema.creation()
            if not streams:
                creation.pop("StreamSpecification", None)
            client.create_table(**creation)
        _warm(client, settings)
        label = client.describe_table(TableName=settings.player_table)["Table"].get("LatestStreamLabel", "")
        yield Database(client, server.endpoint_url, settings, f"{settings.player_table}@{label}")
        client.close()


def connect(endpoint_url: str) -> DynamoDBClient:
    """A client for an emulator."""
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106 (an emulator takes any)
        config=Config(proxies={}, max_pool_connections=32),
    )


def _warm(client: DynamoDBClient, settings: Settings) -> None:
    table, rows = settings.dead_letter_table, 20
    for number in range(WARMING_WRITES):
        client.update_item(
            TableName=table,
            Key={"record": {"S": f"warm-{number % rows}"}, "part": {"S": "0"}},
            UpdateExpression="SET n = :n",
            ConditionExpression="attribute_not_exists(n) OR n < :n",
            ExpressionAttributeValues={":n": {"N": str(number)}},
        )
    statement = f"UPDATE \"{table}\" SET n = ? WHERE record = ? AND part = '0' AND n < ?"  # noqa: S608 (our own name)
    for number in range(WARMING_WRITES, WARMING_WRITES * 2, rows):
        parameters = [[{"N": str(number)}, {"S": f"warm-{row}"}, {"N": str(number)}] for row in range(rows)]
        client.batch_execute_statement(Statements=[{"Statement": statement, "Parameters": one} for one in parameters])
    for number in range(WARMING_WRITES * 2, WARMING_WRITES * 3, rows):
        client.transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": table,
                        "Key": {"record": {"S": f"warm-{row}"}, "part": {"S": "0"}},
                        "UpdateExpression": "ADD n :n",
                        "ExpressionAttributeValues": {":n": {"N": str(number)}},
                    }
                }
                for row in range(rows)
            ]
        )


@contextmanager
def worker(
    *arguments: str,
    endpoint_url: str = _NOWHERE,
    settings: Mapping[str, str] | None = None,
    shard: str = FIRST_SHARD,
) -> Iterator[Worker]:
    """A worker process, ``python -m`` of the arguments; ``settings`` on top of the standard load's."""
    with TemporaryDirectory(prefix="headcount-bench-") as directory:
        its = environment(
            endpoint_url, {"HEADCOUNT_APP_IDS": APP_ID, "HEADCOUNT_LOG_FORMAT": "json", **(settings or {})}
        )
        with Worker([sys.executable, "-m", *arguments], its, Path(directory), shard) as started:
            yield started
