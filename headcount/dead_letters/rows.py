"""What the rows of a letter say, checked (pure): somebody else may have written to the table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from headcount.dead_letters.letter import DeadLetter, Ending, Heading, Kept, sensible, split

if TYPE_CHECKING:
    from headcount.tables import Item

MOST_PARTS = 10_000  # their numbers have four digits
_PART = re.compile(r"[0-9]{4}")


def part_name(number_from_0: int) -> str:
    """A part's sort key."""
    return f"{number_from_0:04}"


FIRST_PART = part_name(0)


def part_number(item: Item) -> int:
    """Counted from 0; raises `ValueError` where it is not written as `part_name` writes it."""
    name = item["part"]["S"]
    if not _PART.fullmatch(name):
        raise ValueError(f"{name!r} is no part")
    return int(name)


def heading_of(item: Item) -> Heading:
    """What a row tells of its letter. Raises `KeyError`, `TypeError` or `ValueError`, as all here."""
    key = item["record"]["S"]
    split(key)
    return Heading(
        key=key,
        arrived_at=sensible(int(item["arrivedAt"]["N"])),
        reason=item["reason"]["S"],
        detail=item["detail"]["S"],
        size=_size(item),
        ending=_ending(item),
        lost_first_part=part_number(item) > 0,
    )


def kept_of(items: list[Item]) -> Kept:
    """The letter of these rows, which are in order."""
    first = items[0]
    stream, shard, position = split(first["record"]["S"])
    there = {part_number(item): bytes(item["raw"]["B"]) for item in items}
    parts = int(first["parts"]["N"])
    if not max(there) < parts <= MOST_PARTS:
        raise ValueError(f"parts is {parts}, the last row that is there is part {max(there)}")
    missing = tuple(part + 1 for part in range(parts) if part not in there)
    raw, size = b"".join(there[part] for part in sorted(there)), _size(first)
    if not missing and size not in {None, len(raw)}:
        raise ValueError(f"size is {size}, the parts have {len(raw)} bytes")
    letter = DeadLetter(
        stream=stream,
        shard=shard,
        position=position,
        sequence_number=first["sequenceNumber"]["S"],
        arrived_at=sensible(int(first["arrivedAt"]["N"])),
        reason=first["reason"]["S"],
        detail=first["detail"]["S"],
        raw=raw,
    )
    return Kept(letter, parts, missing, _ending(first))


def _size(item: Item) -> int | None:
    return sensible(int(item["size"]["N"])) if "size" in item else None


def _ending(item: Item) -> Ending | None:
    return Ending(item["ending"]["S"]) if "ending" in item else None
