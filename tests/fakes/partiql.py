"""PartiQL's UPDATE of one item, as far as Headcount writes it, in terms of DynamoDB's expressions.

Grammar by the DynamoDB developer guide ("PartiQL update statements for DynamoDB"): the WHERE names the item by its key
and is the condition of the write; a statement without its item fails its condition. Anything else is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.fakes.dynamodb_items import failure
from tests.fakes.expressions import Item

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_STATEMENTS = 25
_UPDATE = re.compile(r'UPDATE "(?P<table>[^"]+)" (?P<sets>SET .+) WHERE (?P<where>.+)')
_KEY = re.compile(r"(?P<name>\w+) = (?P<parameter>:p\d+) AND .+")


@dataclass(frozen=True)
class Statement:
    """An UPDATE; ``key``: the item's key, ``arguments``: as those of ``update_item``."""

    table: str
    key: Item
    arguments: dict[str, Any]


def parse(request: dict[str, Any]) -> Statement:
    """One statement of a batch."""
    table, key, parameter, sets, where = _parts(request["Statement"])
    values = {f":p{number}": value for number, value in enumerate(request["Parameters"])}
    arguments = {
        "UpdateExpression": sets,
        "ConditionExpression": f"attribute_exists({key}) AND {where}",
        "ExpressionAttributeValues": values,
    }
    if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return Statement(table, {key: values[parameter]}, arguments)


@lru_cache(maxsize=1000)
def _parts(text: str) -> tuple[str, str, str, str, str]:
    numbers = count()
    update = _UPDATE.fullmatch(re.sub(r"\?", lambda _: f":p{next(numbers)}", text))
    key = update and _KEY.fullmatch(update["where"])
    if not update or not key:
        raise failure("ValidationException", f"{text!r} is no update of one item")
    return update["table"], key["name"], key["parameter"], update["sets"], update["where"]


def refuse_batch(statements: list[Statement]) -> None:
    """Raise what DynamoDB raises before it looks at any item."""
    if len(statements) > MOST_STATEMENTS:
        raise failure("ValidationException", f"Member must have length less than or equal to 25: {len(statements)}")
    keys = [(statement.table, *(value["S"] for value in statement.key.values())) for statement in statements]
    if len(set(keys)) < len(keys):
        raise failure("ValidationException", "Provided list of item keys contains duplicates")


def response(table: str, run: Callable[[], object]) -> dict[str, Any]:
    """What the batch's answer says of a statement that does ``run``; no answer within AWS is a fault of its own."""
    try:
        run()
    except ClientError as error:
        told: Any = error.response
        code = told["Error"]["Code"].removesuffix("Exception")
        code = {"Validation": "ValidationError", "Throttling": "ThrottlingError"}.get(code, code)
        shown = {"Item": told["Item"]} if "Item" in told else {}
        return {"TableName": table, "Error": {"Code": code, "Message": told["Error"]["Message"], **shown}}
    except BotoCoreError as error:
        return {"TableName": table, "Error": {"Code": "InternalServerError", "Message": str(error)}}
    return {"TableName": table}
