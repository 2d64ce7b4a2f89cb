"""A DynamoDB table's items in memory: keys, sizes, segments of a scan, and what an item was a moment ago."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError

from tests.fakes.expressions import Item

Key = tuple[str, ...]

MOST_KEY_BYTES = {"HASH": 2048, "RANGE": 1024}
MOST_ITEM_BYTES = 400 * 1024
MOST_TRANSACTION_ITEMS, MOST_TRANSACTION_BYTES = 100, 4 * 1024 * 1024
KEPT_VERSIONS = 20  # of an item, for reads that are not consistent


class ConditionalCheckFailedException(ClientError):  # noqa: N818 (botocore's name)
    """As botocore makes it."""


@dataclass
class Table:
    """Items by key; ``keys``: the key's attributes; ``told``: whether the table has a stream; ``ttl``: what expires."""

    keys: tuple[str, ...]
    told: bool
    items: dict[Key, Item] = field(default_factory=dict)
    ttl: str = ""
    _before: defaultdict[Key, deque[tuple[float, Item | None]]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT_VERSIONS))
    )

    def key(self, values: Mapping[str, Any]) -> Key:
        """The key in an item or a request."""
        for name, kind in zip(self.keys, MOST_KEY_BYTES, strict=False):
            size = len(values[name]["S"].encode())
            if not 1 <= size <= MOST_KEY_BYTES[kind]:
                raise failure("ValidationException", f"One or more parameter values are not valid: {name}")
        return tuple(values[name]["S"] for name in self.keys)

    def write(self, key: Key, item: Item | None, now: float) -> None:
        """Put ``item`` (None: nothing) at ``key``."""
        if item is not None and size_of({"M": item}) > MOST_ITEM_BYTES:
            raise failure("ValidationException", "Item size has exceeded the maximum allowed size")
        self._before[key].append((now, self.items.get(key)))
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item

    def as_of(self, when: float) -> dict[Key, Item]:
        """The items as they were before anything was written after ``when``, as far as that is known."""
        items = dict(self.items)
        for key, versions in self._before.items():
            for written_at, before in reversed(versions):
                if written_at <= when:
                    break
                if before is None:
                    items.pop(key, None)
                else:
                    items[key] = before
        return items


@lru_cache(4096)
def place(key: Key) -> tuple[int, Key]:
    """Where a scan comes by it."""
    return crc32(key[0].encode()), key


def ordered(items: Mapping[Key, Item], segment: int, segments: int) -> list[Key]:
    """The keys of a segment, in the order of a scan."""
    hashed = sorted(map(place, items))
    return (
        [key for _, key in hashed] if segments == 1 else [key for number, key in hashed if number % segments == segment]
    )


def size_of(value: Any) -> int:
    """About as many bytes as DynamoDB counts for a value."""
    ((kind, content),) = value.items()
    if kind == "M":
        return sum(len(name.encode()) + size_of(each) for name, each in content.items())
    if kind == "L":
        return sum(map(size_of, content))
    return len(content.encode() if isinstance(content, str) else content) if kind in {"S", "N", "B"} else 1


def refuse_transaction(keys: list[tuple[str, Key]], updates: list[dict[str, Any]]) -> None:
    """Raise what DynamoDB raises before it looks at any item."""
    if len(updates) > MOST_TRANSACTION_ITEMS:
        raise failure("ValidationException", f"Member must have length less than or equal to 100: {len(updates)}")
    if len(set(keys)) < len(keys):
        raise failure("ValidationException", "Transaction request cannot include multiple operations on one item")
    sizes = [size_of({"M": update["Key"] | update["ExpressionAttributeValues"]}) for update in updates]
    if max(sizes) > MOST_ITEM_BYTES:
        raise failure("ValidationException", "Item size has exceeded the maximum allowed size")
    if sum(sizes) > MOST_TRANSACTION_BYTES:
        raise failure("ValidationException", "Transaction size exceeds the maximum of 4 MB")


def failure(code: str, message: str = "", **more: Any) -> ClientError:
    """An error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, "Call")  # type: ignore[typeddict-item] # as DynamoDB does
