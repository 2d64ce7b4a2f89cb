"""LevelState and Transitions: what the aggregator keeps, changed only in one transaction with its progress."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headcount.model import LevelCount, Progress, Transition
from headcount.rules import buckets, transition_key
from headcount.tables import Item, integer, number, parsed, query, scan, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.tables.progress import ProgressTable

_NO_ROW = "attribute_not_exists(levelId)"

MOST_ITEMS = 100  # DynamoDB's limit for one transaction


@dataclass
class Net:
    """The net effect of some transitions: what one transaction writes besides the progress."""

    entered: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    transitions: Counter[Transition] = field(default_factory=Counter)

    def add(self, transition: Transition) -> None:
        """Count one more."""
        self.transitions[transition] += 1
        if transition.target is not None:
            self.entered[transition.target] += 1
        if transition.source is not None:
            self.left[transition.source] += 1

    @property
    def levels(self) -> set[str]:
        """The levels whose row changes."""
        return self.entered.keys() | self.left.keys()

    def items_with(self, transition: Transition) -> int:
        """How many items the transaction has, the progress included, once ``transition`` is added."""
        levels = {level for level in (transition.source, transition.target) if level is not None}
        return 1 + len(self.levels | levels) + len(self.transitions.keys() | {transition})


class CountTables:
    """Repository of LevelState and Transitions. Methods raise botocore's errors once its retries are used up."""

    def __init__(self, client: DynamoDBClient, levels: str, transitions: str, retention_seconds: int) -> None:
        self._client = client
        self.levels_name = levels
        self.transitions_name = transitions
        self._retention_seconds = retention_seconds

    def apply(self, net: Net, table: ProgressTable, worker: str, was: Progress, now: Progress) -> None:
        """Write ``net`` and the worker's progress in one transaction (rule 7).

        Raises ``TransactionCanceledException`` with a reason per item, the progress' first, and changes nothing if
        another writer moved the progress (reason ``ConditionalCheckFailed``) or an item is contended
        (``TransactionConflict``).
        """
        items: list[Item] = [{"Update": table.moving(worker, was, now)}]
        items += [{"Update": self._level(level, net)} for level in sorted(net.levels)]
        items += [{"Update": self._transition(move, count)} for move, count in net.transitions.items()]
        self._client.transact_write_items(TransactItems=items)  # type: ignore[arg-type] # a dict is its TypedDict

    def levels(self) -> dict[str, LevelCount]:
        """Every level's row."""
        items = scan(self._client, TableName=self.levels_name)
        return dict(
            parsed(self.levels_name, item, lambda row: (row["levelId"]["S"], _level_count(row))) for item in items
        )

    def correct(self, level: str, was: LevelCount | None, now: LevelCount) -> bool:
        """Set the level's row, if it still is ``was`` (None: there is none); whether it was set. For a rebuild."""
        values = {f":{name}": number(value) for name, value in _numbers(now).items()}
        conditions = [_NO_ROW]
        if was is not None:
            values |= {f":was_{name}": number(value) for name, value in _numbers(was).items()}
            # An attribute that is not there counts as 0.
            conditions = [
                f"(#{name} = :was_{name}" + (")" if value else f" OR attribute_not_exists(#{name}))")
                for name, value in _numbers(was).items()
            ]
        try:
            self._client.update_item(
                TableName=self.levels_name,
                Key={"levelId": text(level)},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in _numbers(now)),
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames={f"#{name}": name for name in _numbers(now)},
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def transitions(self) -> Iterator[tuple[Transition, int]]:
        """Every transition that is kept, with how often it was made."""
        for item in scan(self._client, TableName=self.transitions_name):
            yield parsed(self.transitions_name, item, _transition_count)

    def transitions_of(self, period: int) -> dict[tuple[str | None, str | None], int]:
        """How often each move was made in the minute that begins at ``period`` (epoch s): by (from, to).

        Eventually consistent, at half the price: a moment later it is told anyway.
        """
        found: dict[tuple[str | None, str | None], int] = {}
        for bucket in buckets(period):
            items = query(
                self._client,
                TableName=self.transitions_name,
                KeyConditionExpression="#bucket = :bucket",
                ExpressionAttributeNames={"#bucket": "bucket"},  # a reserved word
                ExpressionAttributeValues={":bucket": text(bucket)},
            )
            for item in items:
                move, count = parsed(self.transitions_name, item, _transition_count)
                found[move.source, move.target] = count
        return found

    def _level(self, level: str, net: Net) -> Item:
        entered, left = net.entered[level], net.left[level]
        return {
            "TableName": self.levels_name,
            "Key": {"levelId": text(level)},
            "UpdateExpression": "ADD playerCount :net, entered :entered, #left :left",
            "ExpressionAttributeNames": {"#left": "left"},  # a reserved word
            "ExpressionAttributeValues": {
                ":net": number(entered - left),
                ":entered": number(entered),
                ":left": number(left),
            },
        }

    def _transition(self, transition: Transition, count: int) -> Item:
        bucket, key = transition_key(transition)
        values = {
            ":period": number(transition.period),
            ":expires": number(transition.period + self._retention_seconds),
            ":count": number(count),
        }
        sets = "SET period = :period, expiresAt = :expires"
        if transition.source is not None:
            sets += ", levelFrom = :from"
            values[":from"] = text(transition.source)
        if transition.target is not None:
            sets += ", levelTo = :to"
            values[":to"] = text(transition.target)
        return {
            "TableName": self.transitions_name,
            "Key": {"bucket": text(bucket), "transition": text(key)},
            "UpdateExpression": sets + " ADD transitionCount :count",
            "ExpressionAttributeValues": values,
        }


def _numbers(count: LevelCount) -> dict[str, int]:
    return {"playerCount": count.players, "entered": count.entered, "left": count.left}


def _transition_count(item: Item) -> tuple[Transition, int]:
    source, target = item.get("levelFrom"), item.get("levelTo")
    transition = Transition(int(item["period"]["N"]), source and source["S"], target and target["S"])
    return transition, int(item["transitionCount"]["N"])


def _level_and_count(item: Item) -> tuple[str, LevelCount]:
    return item["levelId"]["S"], _level_count(item)


def _level_count(item: Item) -> LevelCount:
    return LevelCount(integer(item, "playerCount") or 0, integer(item, "entered") or 0, integer(item, "left") or 0)
