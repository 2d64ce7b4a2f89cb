"""A dead letter, what is known of one without its bytes, and what every store of them can do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from headcount.tables import MalformedRowError

MOST_NUMBER = 2**53  # what any reader of JSON understands


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


class Ending(StrEnum):
    """Why a letter is deleted. Noted first where that takes several steps: what a crash leaves then says so."""

    SENT = "sent"  # its record is on the events' stream again
    DELETED = "deleted"  # a person gave it up


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter as a store holds it. ``missing``: parts, counted from 1, that it has lost; ``raw`` is without them.

    ``ending``: its deletion was begun, and is not at its end.
    """

    letter: DeadLetter
    parts: int = 1
    missing: tuple[int, ...] = ()
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a list tells of a letter: never its bytes. ``size`` is theirs; None where the store does not tell.

    ``ending``: its deletion was begun, and is not at its end. ``lost_first_part``: so it is told by a later one.
    """

    key: str
    arrived_at: int
    reason: str
    detail: str
    size: int | None
    ending: Ending | None = None
    lost_first_part: bool = False

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


def sensible(value: int) -> int:
    """A number that somebody else may have written; raises `ValueError` where no time and no size is like that."""
    if not 0 <= value <= MOST_NUMBER:
        raise ValueError(f"{value} is out of range")
    return value


def refuse(error: MalformedRowError) -> NoReturn:
    """Go no further where there is something that is no letter."""
    raise error


class DeadLetters(Protocol):
    """Where dead letters go; every implementation passes ``tests/contract/test_dead_letters.py``."""

    def put(self, letter: DeadLetter) -> None:
        """Keep the letter durably, or raise. Putting the same one again changes nothing."""

    def headings(
        self, selection: Selection, unreadable: Callable[[MalformedRowError], object] = refuse
    ) -> Iterator[Heading]:
        """Of all letters that are selected, in no order, a page at a time. Letters may be deleted meanwhile.

        ``unreadable`` gets what is no letter as Headcount writes it, selected or not; the rest goes on.
        """

    def get(self, key: str) -> Kept | None:
        """The letter, its bytes joined; None if there is none. Raises `MalformedRowError`."""

    def delete(self, key: str, why: Ending = Ending.DELETED) -> bool:
        """Delete the letter for good; whether there was one. Done again it goes on where it was cut short."""


def split(key: str) -> tuple[str, str, str]:
    """Stream, shard and position of a letter's key; raises `ValueError` where it is none."""
    stream, shard, position = key.rsplit("/", 2)
    return stream, shard, position
