"""Pins the KCL to its 2.x-compatible mode, which fails over in seconds where 3.x's own takes minutes.

Left to itself the mode switches to 3.x after 12 minutes. AWS's migration tool knows a rolled-back state; a row that
says so, written before the first start, keeps the mode. See ``docs/adr/0001-kcl-mode-and-worker-ids.md``.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = "Migration3.0"
_PINNED = "CLIENT_VERSION_2X"
_WAIT_SECONDS = 120

_log = structlog.get_logger()


def coordinator_table(application: str) -> str:
    """Name of the table in which the KCL of ``application`` keeps its mode."""
    return f"{application}-CoordinatorState"


def pin_client_version(client: DynamoDBClient, application: str, by: str) -> None:
    """Write the row, and the table if it is missing. Idempotent; raises botocore's errors."""
    table = coordinator_table(application)
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": _WAIT_SECONDS})
    found = client.get_item(TableName=table, Key={"key": {"S": _KEY}}, ConsistentRead=True).get("Item")
    mode = found["cv"]["S"] if found and "cv" in found else None
    if mode == _PINNED:
        return
    if mode is not None:
        _log.warning("the KCL had left its 2.x mode: pinned anew", application=application, was=mode)
    client.put_item(
        TableName=table,
        Item={
            "key": {"S": _KEY},
            "cv": {"S": _PINNED},
            "mb": {"S": by},
            "mts": {"N": str(round(time.time() * 1000))},
            "h": {"L": []},
        },
    )
