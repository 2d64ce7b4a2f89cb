"""A worker process whose AWS answers at once: what a worker takes without any database's time.

``python -m benchmarks.instant consumer.worker IDENTITY``. The stand-in is in the process, so neither botocore nor a
connection is measured: everything up to the call of boto3's client is.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from email.utils import formatdate
from importlib import import_module
from typing import Any

from botocore.exceptions import ClientError

from headcount.spending import Spending


class Exceptions:
    """As ``client.exceptions``."""

    ConditionalCheckFailedException = ClientError


class InstantAws:
    """Stands for `headcount.aws.Aws`: tables without rows, in which every write goes through."""

    exceptions = Exceptions

    def __init__(self, region: str | None = None) -> None:
        self.region = region
        self.dynamodb = self.kinesis = self.streams = self
        self.spending = Spending()

    def get_item(self, **_: object) -> dict[str, Any]:
        """No such row."""
        return {"ResponseMetadata": {"HTTPHeaders": {"date": formatdate(usegmt=True)}}}

    def update_item(self, **_: object) -> dict[str, Any]:
        """Done."""
        return {}

    def batch_execute_statement(self, Statements: list[Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """Each of them done."""
        return {"Responses": [{}] * len(Statements)}

    def transact_write_items(self, **_: object) -> dict[str, Any]:
        """Done."""
        return {}

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """A table with a stream."""
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        return {"Table": {"TableName": TableName, "LatestStreamArn": "arn:x", "StreamSpecification": stream}}

    def describe_stream(self, **_: object) -> dict[str, Any]:
        """A stream that is too young to have lost anything."""
        return {"StreamDescription": {"Shards": [], "CreationRequestDateTime": datetime.now(UTC)}}

    def list_shards(self, **_: object) -> dict[str, Any]:
        """None that anybody asks for."""
        return {"Shards": []}


def main() -> None:
    """Run the worker module that the first argument names, with the rest as its own."""
    module = sys.argv.pop(1)
    worker = import_module(module)
    vars(worker)["Aws"] = InstantAws
    worker.main()


if __name__ == "__main__":
    main()
