"""The baseline: what the tutorial's design does with the same records, in our own words, in the same worker process.

The consumer transforms each record with snowplow-analytics-sdk, every column of it, and makes one conditional
UpdateItem per level event. The aggregator takes stream records one at a time: for a move one UpdateItem takes a player
from the old level, one adds a player to the new one, and one counts the transition.
``python -m benchmarks.tutorial consumer|aggregator``.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
from amazon_kclpy.kcl import KCLProcess
from amazon_kclpy.v3.processor import RecordProcessorBase

from headcount.aws import Aws
from headcount.environment import load_settings
from headcount.settings import Settings
from headcount.tables import number, text
from tests.property.sdk_oracle import KEY, milliseconds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*invalid escape sequence")  # the SDK's own, if compiled anew
    from snowplow_analytics_sdk.event_transformer import transform


def transformed(line: str) -> dict[str, Any]:
    """Every column, by the SDK."""
    event: dict[str, Any] = transform(line)
    return event


class Processor(RecordProcessorBase):  # type: ignore[misc] # amazon_kclpy has no types
    """One record after the other, and a checkpoint per batch."""

    def __init__(self, client: DynamoDBClient, settings: Settings) -> None:
        self.client, self.settings = client, settings

    def initialize(self, initialize_input: Any) -> None:
        """Nothing to do."""

    def process_records(self, process_records_input: Any) -> None:
        """Take a batch."""
        try:
            for record in process_records_input.records:
                self.take(record.binary_data)
        except Exception as error:  # whatever it is, kclpy would swallow it
            raise SystemExit(f"{type(error).__name__}: {error}") from error
        if process_records_input.records:
            process_records_input.checkpointer.checkpoint()

    def take(self, data: bytes) -> None:
        """Take one record."""
        raise NotImplementedError

    def lease_lost(self, lease_lost_input: Any) -> None:
        """Nothing to do."""

    def shard_ended(self, shard_ended_input: Any) -> None:
        """Nothing to do."""

    def shutdown_requested(self, shutdown_requested_input: Any) -> None:
        """Nothing is held back."""


class Consumer(Processor):
    """From events to PlayerState."""

    def take(self, data: bytes) -> None:
        """Transform it; a level event is one write."""
        event = transformed(data.decode())
        for context in event.get(KEY, []):
            if context.get("user_id") and context.get("level_slug"):
                self._write(context["user_id"], context["level_slug"], milliseconds(event["collector_tstamp"]) or 0)
                return

    def _write(self, player: str, level: str, at: int) -> None:
        with suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.update_item(
                TableName=self.settings.player_table,
                Key={"playerId": text(player)},
                UpdateExpression="SET levelId = :level, lastUpdated = :at",
                ConditionExpression="attribute_not_exists(playerId) OR lastUpdated <= :at",
                ExpressionAttributeValues={":level": text(level), ":at": number(at)},
            )


class Aggregator(Processor):
    """From changes of PlayerState to LevelState and Transitions."""

    def take(self, data: bytes) -> None:
        """A move is three writes."""
        change = orjson.loads(data)["dynamodb"]
        old, new = (change.get(image, {}).get("levelId", {}).get("S", "") for image in ("OldImage", "NewImage"))
        if old == new:
            return
        if old:
            self._add(self.settings.level_table, {"levelId": text(old)}, "playerCount", -1)
        if new:
            self._add(self.settings.level_table, {"levelId": text(new)}, "playerCount", 1)
        key = {"bucket": text("all"), "transition": text(f"{old}/{new}")}
        self._add(self.settings.transitions_table, key, "transitionCount", 1)

    def _add(self, table: str, key: dict[str, Any], name: str, amount: int) -> None:
        self.client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression=f"ADD {name} :amount",
            ExpressionAttributeValues={":amount": number(amount)},
        )


def main() -> None:
    """Serve one shard as the service that the argument names."""
    settings = load_settings()
    processors = {"consumer": Consumer, "aggregator": Aggregator}
    processor = processors[sys.argv[1]](Aws(settings.aws_region).dynamodb, settings)
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    KCLProcess(processor, sys.stdin, protocol, sys.stderr).run()


if __name__ == "__main__":
    main()
