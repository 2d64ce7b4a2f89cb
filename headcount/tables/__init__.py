"""The DynamoDB tables of ``docs/semantics.md``: one repository per file, each clause of a condition named."""

from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

Item = dict[str, Any]
Parsed = TypeVar("Parsed")


class MalformedRowError(Exception):
    """A row is not as Headcount writes it; the message names it."""


def parsed(table: str, item: Item, parse: Callable[[Item], Parsed]) -> Parsed:
    """What ``parse`` reads from a row of ``table``. Raises `MalformedRowError` where somebody else wrote it."""
    try:
        return parse(item)
    except (KeyError, TypeError, ValueError) as error:
        # The keys stay untold: one is a player's id.
        detail = f"{type(error).__name__} {error}"
        raise MalformedRowError(
            f"A row of DynamoDB table {table} is not as Headcount writes it ({detail}); its attributes are "
            f"{', '.join(sorted(item))}. Mend or delete the row."
        ) from error


def text(value: str) -> dict[str, str]:
    """A DynamoDB string."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A DynamoDB number."""
    return {"N": str(value)}


def integer(item: Item, name: str) -> int | None:
    """The number at ``name``, if there is one."""
    return int(item[name]["N"]) if name in item else None


def answered_at(answer: Mapping[str, Any]) -> int | None:
    """When AWS gave ``answer``, by its own clock: ms since the epoch, whole seconds; None if it does not say."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        told = parsedate_to_datetime(date) if date else None
        return round(told.timestamp()) * 1000 if told is not None and told.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def query(client: Any, **arguments: Any) -> Iterator[Item]:
    """All items of a query."""
    while True:
        page = client.query(**arguments)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def scan(client: Any, on_page: Callable[[], None] = lambda: None, **arguments: Any) -> Iterator[Item]:
    """All items of a consistent scan; ``on_page`` is called for each page, one without items too."""
    while True:
        page = client.scan(ConsistentRead=True, **arguments)
        on_page()
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
