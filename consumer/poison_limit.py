"""When poison stops a shard: bad code or settings must not empty the stream into the dead letters (rule 4; pure).

What is counted depends on the shard's records and their order alone: not on the wall clock, and not on where batches
are cut. The count as of the progress stands in the progress row. So a restart, which replays what came after, comes to
the same verdict at the same record, and a worker that is started over and over buries no more each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from headcount.model import PoisonCount, make_named
from headcount.rules import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from headcount.model import PoisonError, Position, Record

LEAST_RECORDS = 100  # of a minute: a share of fewer says little


class Broken(StrEnum):
    """Which of the limits; the values are a metric's labels."""

    RUN = "run"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class PoisonLimit:
    """So many poison records in a row, and such a share of a minute's records, are borne; ``run`` 0: any number.

    ``percent`` 0 or 100: any share.
    """

    run: int = 0
    percent: float = 0

    def broken(self, count: PoisonCount) -> Broken | None:
        """The limit that ``count`` is beyond, if any."""
        if self.run and count.run > self.run:
            return Broken.RUN
        if self.percent and count.records >= LEAST_RECORDS and count.poison * 100 > self.percent * count.records:
            return Broken.PERCENT
        return None

    def told(self, broken: Broken) -> str:
        """What is the matter and what to do, for a person."""
        if broken is Broken.RUN:
            what, setting = f"more than {self.run} records in a row", "HEADCOUNT_POISON_RUN_LIMIT"
        else:
            what, setting = f"more than {self.percent:g} % of a minute's records", "HEADCOUNT_POISON_PERCENT_LIMIT"
        return (
            f"{what} can't be read. Run code and settings that can read them, or raise {setting}; nothing is lost "
            "meanwhile, as long as the stream keeps it"
        )


NO_LIMIT: Final = PoisonLimit()
_NOTHING: Final = PoisonCount()


class PoisonLimitError(Exception):
    """A shard's records went beyond a limit of poison; ``broken``: which."""

    def __init__(self, message: str, broken: Broken) -> None:
        super().__init__(message)
        self.broken = broken


def counted(count: PoisonCount | None, arrived_at: int, *, is_poison: bool) -> PoisonCount:
    """The count with the shard's next record in it. A minute is one of arrival; it never goes back."""
    run, minute, records, poison = count or _NOTHING
    its_minute = arrived_at // MINUTE_MS
    if its_minute > minute:
        minute, records, poison = its_minute, 0, 0
    return make_named(PoisonCount, (run + 1 if is_poison else 0, minute, records + 1, poison + is_poison))


class PoisonGuard:
    """Counts one shard's records as they are read, from where the progress stands (``position``, ``count``)."""

    def __init__(self, limit: PoisonLimit, position: Position | None, count: PoisonCount | None) -> None:
        self._limit, self._position, self._count = limit, position, count

    def check(self, read: Iterable[tuple[Record, PoisonError | None]]) -> None:
        """Take in a batch; raises `PoisonLimitError` at the record that is too much. What is redelivered adds nothing.

        To be called before anything of the batch is written.
        """
        for record, poison in read:
            if self._position is not None and record.position <= self._position:
                continue
            self._position = record.position
            self._count = counted(self._count, record.arrived_at, is_poison=poison is not None)
            # Only at poison: once code can read the records it goes on, however many could not be read before.
            if poison is not None and (broken := self._limit.broken(self._count)):
                raise PoisonLimitError(
                    f"At record {record.sequence_number} {self._limit.told(broken)}. Of this batch nothing was "
                    f"written. The last one is {poison.reason}: {poison}.",
                    broken,
                )
