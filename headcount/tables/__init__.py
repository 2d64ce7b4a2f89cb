"""The DynamoDB tables of ``docs/semantics.md``: one repository per file, each clause of a condition named."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Item = dict[str, Any]


def text(value: str) -> dict[str, str]:
    """A DynamoDB string."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A DynamoDB number."""
    return {"N": str(value)}


def integer(item: Item, name: str) -> int | None:
    """The number at ``name``, if there is one."""
    return int(item[name]["N"]) if name in item else None


def scan(client: Any, **arguments: Any) -> "Iterator[Item]":
    """All items of a consistent scan, page by page."""
    while True:
        page = client.scan(ConsistentRead=True, **arguments)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
