"""A dead letter, what is known of one without its bytes, and what every store of them can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that can't be read. ``arrived_at``: ms; ``detail`` is for a person and holds nothing of a player."""

    stream: str
    shard: str
    position: str
    sequence_number: str
    arrived_at: int
    reason: str
    detail: str
    raw: bytes

    @property
    def key(self) -> str:
        """``stream/shard/position``."""
        return f"{self.stream}/{self.shard}/{self.position}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter as a store holds it. ``missing``: parts, counted from 1, that it has lost; ``raw`` is without them."""

    letter: DeadLetter
    parts: int = 1
    missing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """What a list tells of a letter: never its bytes. ``size`` is theirs; None where the store does not tell."""

    key: str
    arrived_at: int
    reason: str
    detail: str
    size: int | None

    @property
    def shard(self) -> str:
        """Of the stream that it came from."""
        return split(self.key)[1]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters: all, or those of a reason, of a shard, that arrived from ``since`` up to ``until`` (ms)."""

    reason: str | None = None
    shard: str | None = None
    since: int | None = None
    until: int | None = None

    def holds(self, heading: Heading) -> bool:
        """Whether it is one of them."""
        return (
            self.reason in {None, heading.reason}
            and self.shard in {None, heading.shard}
            and (self.since is None or heading.arrived_at >= self.since)
            and (self.until is None or heading.arrived_at <= self.until)
        )


class DeadLetters(Protocol):
    """Where dead letters go; every implementation passes ``tests/contract/test_dead_letters.py``."""

    def put(self, letter: DeadLetter) -> None:
        """Keep the letter durably, or raise. Putting the same one again changes nothing."""

    def headings(self, selection: Selection) -> Iterator[Heading]:
        """Of all letters that are selected, in no order, a page at a time. Letters may be deleted meanwhile."""

    def get(self, key: str) -> Kept | None:
        """The letter, its bytes joined; None if there is none."""

    def delete(self, key: str) -> bool:
        """Delete the letter for good; whether there was one."""


def split(key: str) -> tuple[str, str, str]:
    """Stream, shard and position of a letter's key; raises `ValueError` where it is none."""
    stream, shard, position = key.rsplit("/", 2)
    return stream, shard, position
