"""Crashes, and others who write, in the midst of calls of DynamoDB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mypy_boto3_dynamodb import DynamoDBClient


class CrashError(Exception):
    """kill -9, as far as the tables can tell."""


@contextmanager
def breaking_in(client: DynamoDBClient, moment: str, hook: Callable[..., None]) -> Iterator[None]:
    """``hook`` is called, with the operation's ``model``, at each call of DynamoDB; ``moment``: botocore's event."""
    events: Any = client.meta.events
    events.register(f"{moment}.dynamodb.*", hook)
    try:
        yield
    finally:
        events.unregister(f"{moment}.dynamodb.*", hook)
