"""StreamProgress: how far each worker has come, and the pruner's cutoff."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from headcount.model import Cutoff, PoisonCount, Position, Progress
from headcount.tables import Item, answered_at, integer, number, parsed, scan, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

CUTOFF = "pruner/cutoff"

# Invariant I6: nobody else moved the row meanwhile, and no time goes backwards.
_NOT_MOVED = "sequenceNumber = :was"
_NEVER_MOVED = "attribute_not_exists(sequenceNumber)"
_NOT_BEYOND = "(attribute_not_exists({name}) OR {name} <= :{name})"
_NO_WATERMARK = "attribute_not_exists(watermark)"

_MOST_KEYS = 100  # DynamoDB's limit for one BatchGetItem


class ProgressTable:
    """Repository of the table StreamProgress. Any method raises botocore's errors once its retries are used up."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self.name = name

    def read(self, worker: str) -> Progress | None:
        """The worker's row, read consistently."""
        item = self._get(worker)
        return parsed(self.name, item, _progress) if item else None

    def read_all(self, prefix: str) -> dict[str, Progress]:
        """Rows of all workers whose name starts with ``prefix``, by the rest of the name."""
        items = scan(
            self._client,
            TableName=self.name,
            FilterExpression="begins_with(worker, :prefix)",
            ExpressionAttributeValues={":prefix": text(prefix)},
        )
        return {item["worker"]["S"].removeprefix(prefix): parsed(self.name, item, _progress) for item in items}

    def read_many(self, workers: Sequence[str]) -> dict[str, Progress]:
        """Rows of these workers, those that there are; eventually consistent: some may be as they were a moment ago."""
        found: dict[str, Progress] = {}
        for first in range(0, len(workers), _MOST_KEYS):
            keys = [{"worker": text(worker)} for worker in workers[first : first + _MOST_KEYS]]
            asked: dict[str, Any] = {self.name: {"Keys": keys}}
            while asked:
                answer = self._client.batch_get_item(RequestItems=asked)
                for item in answer["Responses"].get(self.name, []):
                    found[item["worker"]["S"]] = parsed(self.name, item, _progress)
                asked = answer.get("UnprocessedKeys", {})
        return found

    def move(self, worker: str, was: Progress, now: Progress) -> bool:
        """Replace the row if it has not moved since ``was`` was read; whether it was replaced."""
        try:
            self._client.update_item(**self.moving(worker, was, now))
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def moving(self, worker: str, was: Progress, now: Progress) -> Item:
        """The arguments of the update that `move` makes; also one part of the aggregator's transaction (rule 7)."""
        values: Item = {":updated": number(now.updated_at), ":tallies": _tallies(now), ":units": number(now.units)}
        sets = ["updatedAt = :updated", "tallies = :tallies", "writeUnits = :units"]
        conditions = [_NEVER_MOVED if was.position is None else _NOT_MOVED]
        if was.position is not None:
            values[":was"] = text(str(was.position))
        if now.position is not None:
            sets.append("sequenceNumber = :position")
            values[":position"] = text(str(now.position))
        if now.watermark is None:
            conditions.append(_NO_WATERMARK)
        times = {
            "watermark": now.watermark,
            "settled": now.settled,
            "arrivedAt": now.arrived_at,
            "caughtUpAt": now.caught_up_at,
            "seenAt": now.seen_at,
            "expiresAt": now.expires_at,
        }
        for name, value in times.items():
            if value is not None:
                sets.append(f"{name} = :{name}")
                if name != "expiresAt":  # by the writer's clock: one that is behind would be rejected over and over
                    conditions.append(_NOT_BEYOND.format(name=name))
                values[f":{name}"] = number(value)
        if now.poison is not None:
            sets.append("poison = :poison")
            values[":poison"] = _poison(now.poison)
        if now.ended:
            sets.append("ended = :true")
            values[":true"] = {"BOOL": True}
        return {
            "TableName": self.name,
            "Key": {"worker": text(worker)},
            "UpdateExpression": "SET " + ", ".join(sets),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": values,
        }

    def cutoff(self) -> Cutoff:
        """The row ``pruner/cutoff``, read consistently; empty if there is none. Raises `MalformedRowError`."""
        found = self._client.get_item(TableName=self.name, Key={"worker": text(CUTOFF)}, ConsistentRead=True)

        def parse(item: Item) -> Cutoff:
            return Cutoff(
                cutoff=integer(item, "watermark"),
                stream_time=integer(item, "streamTime"),
                completed=integer(item, "completed"),
                updated_at=integer(item, "updatedAt") or 0,
                held_back=item["heldBack"]["S"] if "heldBack" in item else "",
                units=integer(item, "writeUnits") or 0,
                read_at=answered_at(found),
            )

        return parsed(self.name, found.get("Item", {}), parse)

    def publish(
        self, *, stream_time: int | None, cutoff: int | None, held_back: str, updated_at: int, units: int = 0
    ) -> Cutoff:
        """Write what a pass found. Cutoff and stream time only ever rise; returns the row as it then stands.

        ``units``: write units used since a pass last went this far.
        """
        self._raise("watermark", cutoff)
        self._raise("streamTime", stream_time)
        self._client.update_item(
            TableName=self.name,
            Key={"worker": text(CUTOFF)},
            UpdateExpression="SET updatedAt = :updated, heldBack = :why ADD writeUnits :units",
            ExpressionAttributeValues={
                ":updated": number(updated_at),
                ":why": text(held_back),
                ":units": number(units),
            },
        )
        return self.cutoff()

    def complete(self, cutoff: int) -> None:
        """Say that a pass at ``cutoff`` went through (invariant I3 speaks of it)."""
        self._raise("completed", cutoff)

    def _raise(self, name: str, value: int | None) -> None:
        if value is None:
            return
        # A failed condition: it stands there already, or another pruner is further.
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self.name,
                Key={"worker": text(CUTOFF)},
                UpdateExpression=f"SET {name} = :value",
                ConditionExpression=f"attribute_not_exists({name}) OR {name} < :value",
                ExpressionAttributeValues={":value": number(value)},
            )

    def _get(self, worker: str) -> Item | None:
        found = self._client.get_item(TableName=self.name, Key={"worker": text(worker)}, ConsistentRead=True)
        return found.get("Item")


def _tallies(progress: Progress) -> Item:
    return {"M": {name: number(count) for name, count in progress.tallies.items()}}


def _poison(count: PoisonCount) -> Item:
    return {"M": {name: number(value) for name, value in count._asdict().items()}}


def _progress(item: Item) -> Progress:
    return Progress(
        position=Position.parse(item["sequenceNumber"]["S"]) if "sequenceNumber" in item else None,
        watermark=integer(item, "watermark"),
        settled=integer(item, "settled"),
        tallies={name: int(count["N"]) for name, count in item.get("tallies", {}).get("M", {}).items()},
        arrived_at=integer(item, "arrivedAt"),
        caught_up_at=integer(item, "caughtUpAt"),
        seen_at=integer(item, "seenAt"),
        updated_at=integer(item, "updatedAt") or 0,
        ended="ended" in item and item["ended"]["BOOL"],
        expires_at=integer(item, "expiresAt"),
        poison=PoisonCount(**{name: int(value["N"]) for name, value in item["poison"]["M"].items()})
        if "poison" in item
        else None,
        units=integer(item, "writeUnits") or 0,
    )
