"""The DynamoDB in memory refuses what the real one refuses, and may answer late where it may."""

from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.fakes.clock import Clock
from tests.fakes.dynamodb import AFTER, BEFORE, STATEMENT, MemoryDynamoDb
from tests.fakes.dynamodb_items import failure

LAG = 2.0


def table(clock: Clock) -> MemoryDynamoDb:
    client = MemoryDynamoDb(wall=clock, lag=lambda: LAG)
    client.create_table("T", [{"AttributeName": "id", "KeyType": "HASH"}])
    return client


def put(client: MemoryDynamoDb, value: str, **more: Any) -> None:
    client.put_item("T", {"id": {"S": "a"}, "value": {"S": value}, **more})


def seen(client: MemoryDynamoDb, **arguments: Any) -> list[str | None]:
    """By a read of the item and by a scan."""
    item = client.get_item("T", {"id": {"S": "a"}}, **arguments).get("Item")
    scanned = [each["value"]["S"] for each in client.scan("T", **arguments)["Items"]]
    return [item and item["value"]["S"], *scanned]


def update(name: str, size: int = 1) -> dict[str, Any]:
    """One item of a transaction."""
    values = {":v": {"S": "x" * size}}
    change = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": values}
    return {"Update": {"TableName": "T", "Key": {"id": {"S": name}}, **change}}


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([update(str(number)) for number in range(101)], "less than or equal to 100"),
        ([update("a"), update("a")], "multiple operations on one item"),
        ([update(str(number), 350_000) for number in range(12)], "4 MB"),
        ([update("a"), update("b", 500_000)], "Item size"),
    ],
)
def test_a_transaction_that_is_too_large_is_refused(items: list[dict[str, Any]], told: str) -> None:
    client = table(Clock())

    with pytest.raises(ClientError, match=told) as refused:
        client.transact_write_items(items)

    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_hundred_items_are_taken() -> None:
    client = table(Clock())
    client.transact_write_items([update(str(number)) for number in range(100)])
    assert len(client.tables["T"].items) == 100


def statement(name: str, text: str = 'UPDATE "T" SET v = ? WHERE id = ? AND v < ?') -> dict[str, Any]:
    """One of a batch."""
    return {"Statement": text, "Parameters": [{"N": "2"}, {"S": name}, {"N": "2"}]}


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([statement(str(number)) for number in range(26)], "less than or equal to 25"),
        ([statement("a"), statement("b"), statement("a")], "duplicates"),
        ([statement("a", 'SELECT * FROM "T"')], "no update of one item"),
        ([statement("a", 'UPDATE "T" SET v = ? WHERE v = ?')], "no update of one item"),
    ],
)
def test_a_batch_that_can_not_be_is_refused(statements: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ClientError, match=told) as refused:
        table(Clock()).batch_execute_statement(statements)

    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (failure("ThrottlingException"), "ThrottlingError"),
        (failure("ProvisionedThroughputExceededException"), "ProvisionedThroughputExceeded"),
        (failure("TransactionConflictException"), "TransactionConflict"),
        (ConnectionClosedError(endpoint_url="memory"), "InternalServerError"),
    ],
)
@pytest.mark.parametrize(("moment", "written"), [(BEFORE, "1"), (AFTER, "2")])
def test_what_befalls_a_statement_is_told_and_the_others_are_made(
    error: Exception, code: str, moment: str, written: str
) -> None:
    def touch(operation: str, _table: str, when: str) -> bool:
        if (operation, when) == (STATEMENT, moment) and next(statements) == 1:
            raise error
        return False

    statements = count()
    client = MemoryDynamoDb(touch)
    client.create_table("T", [{"AttributeName": "id", "KeyType": "HASH"}])
    for name in "abc":
        client.put_item("T", {"id": {"S": name}, "v": {"N": "1"}})
    responses = client.batch_execute_statement([statement(name) for name in "abc"])["Responses"]

    assert [response.get("Error", {}).get("Code") for response in responses] == [None, code, None]
    assert [item["v"]["N"] for item in client.tables["T"].items.values()] == ["2", written, "2"]


def test_a_read_that_is_not_consistent_sees_what_was_true_a_moment_ago() -> None:
    clock = Clock()
    client = table(clock)
    put(client, "one")
    clock.now += LAG
    assert seen(client) == ["one", "one"]
    put(client, "two")
    clock.now += 1
    put(client, "three")

    assert seen(client) == ["one", "one"]
    assert seen(client, ConsistentRead=True) == ["three", "three"]
    clock.now += LAG - 1
    assert seen(client) == ["two", "two"]


def test_a_deleted_item_may_still_be_seen_and_a_new_one_not_yet() -> None:
    clock = Clock()
    client = table(clock)
    put(client, "one")
    assert seen(client) == [None]
    clock.now += LAG
    client.delete_item("T", {"id": {"S": "a"}})

    assert seen(client) == ["one", "one"]


def test_what_has_expired_is_deleted() -> None:
    clock = Clock()
    client = table(clock)
    client.update_time_to_live("T", {"Enabled": True, "AttributeName": "expiresAt"})
    put(client, "one", expiresAt={"N": str(int(clock.now) + 5)})

    client.expire()
    assert client.tables["T"].items
    clock.now += 5
    client.expire()
    assert not client.tables["T"].items
