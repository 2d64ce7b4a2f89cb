"""What was read of a shard and is not settled yet, in the order of the shard (pure).

A record is settled when its outcome stands: written, dead-lettered, rightly ignored. Progress and checkpoint cover only
what lies before the first unsettled record (rule 3), so a renewal that waits holds them back too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from consumer.poison_limit import counted
from headcount.model import Outcome, Position
from headcount.rules import latest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headcount.model import PoisonCount


@dataclass(slots=True, eq=False)
class Entry:
    """One record without its data; ``at``: its event time (None: it has none); ``outcome``: None until it stands."""

    sequence_number: str
    sub: int
    arrived_at: int
    at: int | None = None
    outcome: Outcome | None = None

    @property
    def position(self) -> Position:
        """Its place in the shard; not kept, as 50,000 of them may wait."""
        return Position(int(self.sequence_number), self.sub)


@dataclass(frozen=True, slots=True)
class Settled:
    """The run of settled records at the front (not empty), and the greatest event time among them."""

    entries: list[Entry]
    newest: int | None

    @property
    def last(self) -> Entry:
        """What a checkpoint may cover."""
        return self.entries[-1]

    def tallies_after(self, position: Position | None) -> Counter[str]:
        """How many records beyond ``position`` (None: of all) ended how: what is redelivered adds nothing."""
        ended = Counter(entry.outcome for entry in self._beyond(position))
        return Counter({str(outcome): count for outcome, count in ended.items()})

    def poison_after(self, position: Position | None, count: PoisonCount | None) -> PoisonCount | None:
        """``count``, which is as of ``position``, with the records beyond it: what is redelivered adds nothing."""
        for entry in self._beyond(position):
            count = counted(count, entry.arrived_at, is_poison=entry.outcome is Outcome.DEAD_LETTERED)
        return count

    def _beyond(self, position: Position | None) -> list[Entry]:
        begin = 0 if position is None else bisect_right(self.entries, position, key=attrgetter("position"))
        return self.entries[begin:]


class Ledger:
    """The entries from the first unsettled one on."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._batches: deque[tuple[float, int]] = deque()  # when each was read, and how many of it are left

    def __len__(self) -> int:
        return len(self._entries)

    def extend(self, entries: Sequence[Entry], read_at: float) -> None:
        """Add the next records of the shard, and when they were read (any clock that never goes back)."""
        if entries:
            self._entries.extend(entries)
            self._batches.append((read_at, len(entries)))

    def read_by(self, count: int) -> float:
        """When the oldest ``count`` entries had been read; before any time where there are none."""
        read_at = float("-inf")
        for at, left in self._batches:
            if count <= 0:
                break
            read_at, count = at, count - left
        return read_at

    def front(self) -> Settled | None:
        """The settled records before the first unsettled one; None if there are none. They stay until `drop`."""
        entries: list[Entry] = []
        for entry in self._entries:
            if entry.outcome is None:
                break
            entries.append(entry)
        return Settled(entries, latest(*(entry.at for entry in entries))) if entries else None

    def drop(self, settled: Settled) -> None:
        """Forget what `front` returned: progress covers it now."""
        for _ in settled.entries:
            self._entries.popleft()
        count = len(settled.entries)
        while count:
            read_at, left = self._batches.popleft()
            if left > count:
                self._batches.appendleft((read_at, left - count))
            count -= min(left, count)
