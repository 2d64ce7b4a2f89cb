"""DynamoDB's client in memory, for tables with string keys: what boto3 offers and Headcount uses of it.

Passes the contract suites of ``tests/contract``, as DynamoDB Local does. Of threads, one calls at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache, partial
from threading import RLock
from typing import Any

from tests.fakes.dynamodb_items import (
    ConditionalCheckFailedException,
    Key,
    Table,
    failure,
    ordered,
    place,
    refuse_transaction,
)
from tests.fakes.expressions import Item, condition, update
from tests.fakes.partiql import Statement, parse, refuse_batch, response

BEFORE, AFTER = "before", "after"
MOST_KEYS = 100  # of one BatchGetItem
STATEMENT = "statement"  # the operation that each of a batch's statements is, besides the batch

# Called before and after each call with the operation, its table and the moment: what it raises, the call raises, as if
# nothing had happened (before) or in place of the answer (after). True: the answer was lost, the call is made again.
Touch = Callable[[str, str, str], bool]
# Told of each change: table, key, item before and after (None: there was or is none).
OnChange = Callable[[str, Key, Item | None, Item | None], None]


class _Exceptions:
    """As ``client.exceptions``."""

    ConditionalCheckFailedException = ConditionalCheckFailedException


class MemoryDynamoDb:
    """``page``: items per page of a scan."""

    exceptions = _Exceptions

    def __init__(
        self,
        touch: Touch = lambda _operation, _table, _moment: False,
        on_change: OnChange = lambda _table, _key, _before, _after: None,
        page: int = 1000,
        wall: Callable[[], float] = time.time,
        lag: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.tables: dict[str, Table] = {}
        self._wall, self._lag = wall, lag
        self._touch, self._on_change, self._page = touch, on_change, page
        self._one_at_a_time = RLock()  # a call may call again, by what `touch` and `on_change` do

    def create_table(self, TableName: str, KeySchema: list[dict[str, str]], **more: Any) -> None:  # noqa: N803 (boto3's)
        """Make a table."""
        stream = more.get("StreamSpecification", {}).get("StreamEnabled", False)
        self.tables[TableName] = Table(tuple(key["AttributeName"] for key in KeySchema), stream)

    def update_time_to_live(self, TableName: str, TimeToLiveSpecification: dict[str, Any]) -> None:  # noqa: N803 (boto3's)
        """Name the attribute that expires an item; see `expire`."""
        self.tables[TableName].ttl = TimeToLiveSpecification["AttributeName"]

    def delete_table(self, TableName: str) -> None:  # noqa: N803 (boto3's name)
        """Drop a table."""
        del self.tables[TableName]

    def get_waiter(self, _name: str) -> MemoryDynamoDb:
        """A table is there at once."""
        return self

    def wait(self, **_arguments: Any) -> None:
        """See `get_waiter`."""

    def get_item(self, TableName: str, Key: Item, **more: Any) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """One item; one that is a little older where no consistent read was asked for."""

        def got() -> dict[str, Any]:
            table = self._table(TableName)
            item = self._seen(table, more).get(table.key(Key))
            answer: dict[str, Any] = {"ResponseMetadata": {"HTTPHeaders": {"date": _date(int(self._wall()))}}}
            return answer if item is None else {**answer, "Item": dict(item)}

        return self._called("get_item", TableName, got)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """Some items of one table; one of them is left for another call, as in a table that is busy."""
        ((name, asked),) = RequestItems.items()
        if len(asked["Keys"]) > MOST_KEYS:
            raise failure("ValidationException", f"{len(asked['Keys'])} keys")

        def got() -> dict[str, Any]:
            table, (*now, last) = self._table(name), asked["Keys"]
            seen = self._seen(table, asked)
            found = [dict(seen[key]) for key in map(table.key, now or [last]) if key in seen]
            left = {name: {**asked, "Keys": [last]}} if now else {}
            return {"Responses": {name: found}, "UnprocessedKeys": left}

        return self._called("batch_get_item", name, got)

    def query(self, TableName: str, **arguments: Any) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """The items of one partition key, all of them."""

        def queried() -> dict[str, Any]:
            items = self._seen(self._table(TableName), arguments)
            fits = condition(arguments["KeyConditionExpression"])
            return {"Items": [dict(items[key]) for key in sorted(items) if fits(items[key], *_terms(arguments))]}

        return self._called("query", TableName, queried)

    def put_item(self, TableName: str, Item: Item, **arguments: Any) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """One item anew."""
        key = self._table(TableName).key(Item)

        def put() -> dict[str, Any]:
            before = self._table(TableName).items.get(key)
            self._write(TableName, key, Item, arguments)
            return {"Attributes": dict(before)} if before and arguments.get("ReturnValues") == "ALL_OLD" else {}

        return self._called("put_item", TableName, put)

    def update_item(self, TableName: str, Key: Item, UpdateExpression: str, **arguments: Any) -> dict[str, Any]:  # noqa: N803 (boto3's)
        """One item changed, or made."""
        arguments["UpdateExpression"] = UpdateExpression
        key = self._table(TableName).key(Key)
        return self._called("update_item", TableName, lambda: self._write(TableName, key, Key, arguments))

    def delete_item(self, TableName: str, Key: Item, **arguments: Any) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """One item gone."""
        key = self._table(TableName).key(Key)
        return self._called("delete_item", TableName, lambda: self._write(TableName, key, None, arguments))

    def scan(self, TableName: str, **arguments: Any) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """One page; what is written between two pages is seen or not, as in DynamoDB."""

        def scanned() -> dict[str, Any]:
            table = self._table(TableName)
            items = self._seen(table, arguments)
            keys = ordered(items, arguments.get("Segment", 0), arguments.get("TotalSegments", 1))
            if "ExclusiveStartKey" in arguments:
                begin = place(table.key(arguments["ExclusiveStartKey"]))
                keys = [key for key in keys if place(key) > begin]
            page = keys[: self._page]
            fits = condition(arguments["FilterExpression"]) if "FilterExpression" in arguments else None
            found = [dict(item) for item in map(items.__getitem__, page) if not fits or fits(item, *_terms(arguments))]
            answer: dict[str, Any] = {"Items": found}
            if len(keys) > len(page):
                answer["LastEvaluatedKey"] = {
                    name: {"S": part} for name, part in zip(table.keys, page[-1], strict=True)
                }
            return answer

        return self._called("scan", TableName, scanned)

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """All or none. botocore gives each call a token, so that one whose answer was lost is not made twice."""
        done = False

        def transacted() -> dict[str, Any]:
            nonlocal done
            if not done:
                self._transact([item["Update"] for item in TransactItems])
                done = True
            return {}

        return self._called("transact_write_items", TransactItems[0]["Update"]["TableName"], transacted)

    def batch_execute_statement(self, Statements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """Each statement for itself; what one raises, its response tells."""
        statements = [parse(one) for one in Statements]
        refuse_batch(statements)

        def executed() -> dict[str, Any]:
            return {"Responses": [response(one.table, partial(self._state, one)) for one in statements]}

        return self._called("batch_execute_statement", statements[0].table, executed)

    def _state(self, one: Statement) -> None:
        table = self._table(one.table)
        self._touch(STATEMENT, one.table, BEFORE)
        self._write(one.table, table.key(one.key), None, one.arguments)
        self._touch(STATEMENT, one.table, AFTER)

    def _transact(self, updates: list[dict[str, Any]]) -> None:
        keys = [(update["TableName"], self._table(update["TableName"]).key(update["Key"])) for update in updates]
        refuse_transaction(keys, updates)
        met = [
            self._met(self._table(name).items.get(key), each) for (name, key), each in zip(keys, updates, strict=True)
        ]
        if not all(met):
            reasons = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in met]
            raise failure("TransactionCanceledException", "Transaction cancelled", CancellationReasons=reasons)
        for (name, key), each in zip(keys, updates, strict=True):
            self._write(name, key, each["Key"], each)

    def _write(self, name: str, key: Key, fresh: Item | None, arguments: dict[str, Any]) -> dict[str, Any]:
        """Put ``fresh`` (None: nothing) in the item's place or, with an update expression, what that makes of it."""
        table = self._table(name)
        before = table.items.get(key)
        if not self._met(before, arguments):
            shown = {"Item": before} if "ReturnValuesOnConditionCheckFailure" in arguments and before else {}
            answer = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}}
            raise ConditionalCheckFailedException({**answer, **shown}, "Write")  # type: ignore[typeddict-item] # as DynamoDB does
        after = dict(fresh) if fresh is not None else None
        if "UpdateExpression" in arguments:
            after = update(arguments["UpdateExpression"])(before or after or {}, *_terms(arguments))
        table.write(key, after, self._wall())
        if before != after:
            self._on_change(name, key, before, after)
        return {}

    def _met(self, item: Item | None, arguments: dict[str, Any]) -> bool:
        text = arguments.get("ConditionExpression")
        return text is None or condition(text)(item or {}, *_terms(arguments))

    def _seen(self, table: Table, arguments: dict[str, Any]) -> dict[Key, Item]:
        """What a read sees."""
        lag = 0.0 if arguments.get("ConsistentRead") else self._lag()
        return table.as_of(self._wall() - lag) if lag else table.items

    def _table(self, name: str) -> Table:
        if name not in self.tables:
            raise failure("ResourceNotFoundException", f"Table {name} does not exist")
        return self.tables[name]

    def _called(self, operation: str, table: str, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with self._one_at_a_time:
            self._touch(operation, table, BEFORE)
            answer = run()
            return run() if self._touch(operation, table, AFTER) else answer

    def expire(self) -> None:
        """Delete whatever has expired: DynamoDB does at some time after that."""
        for name, table in self.tables.items():
            for key, item in list(table.items.items()):
                if table.ttl in item and int(item[table.ttl]["N"]) <= self._wall():
                    self._write(name, key, None, {})


@lru_cache(64)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _terms(arguments: dict[str, Any]) -> tuple[dict[str, str], Item]:
    return arguments.get("ExpressionAttributeNames", {}), arguments.get("ExpressionAttributeValues", {})
