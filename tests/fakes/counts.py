"""LevelState and Transitions in memory."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from headcount.model import LevelCount, Progress, Transition
from headcount.tables.counts import MOST_ITEMS, CountTables, Net
from headcount.tables.progress import ProgressTable
from tests.fakes.hooks import AFTER, BEFORE, Hook, no_hook
from tests.fakes.progress import MemoryProgress


class MemoryCounts(CountTables):
    """Passes ``tests/contract/test_count_tables.py``; goes with `MemoryProgress`."""

    def __init__(self, hook: Hook = no_hook) -> None:
        self.levels_name, self.transitions_name = "LevelState", "Transitions"
        self.entered: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.made: Counter[Transition] = Counter()
        self.transactions = 0
        self._hook = hook

    def apply(self, net: Net, table: ProgressTable, worker: str, was: Progress, now: Progress) -> None:
        """As the real one."""
        assert isinstance(table, MemoryProgress)
        self._hook("counts.apply", BEFORE)
        items = 1 + len(net.levels) + len(net.transitions)
        if items > MOST_ITEMS:
            raise _error("ValidationException", f"{items} items")
        if not table.may_move(worker, was, now):
            raise cancelled("ConditionalCheckFailed", items)
        table.put(worker, now)
        self.entered += net.entered
        self.left += net.left
        self.made += net.transitions
        self.transactions += 1
        self._hook("counts.apply", AFTER)

    def levels(self) -> dict[str, LevelCount]:
        """As the real one."""
        return {
            level: LevelCount(self.entered[level] - self.left[level], self.entered[level], self.left[level])
            for level in self.entered.keys() | self.left.keys()
        }

    def transitions(self) -> Iterator[tuple[Transition, int]]:
        """As the real one."""
        yield from list(self.made.items())

    def transitions_of(self, period: int) -> dict[tuple[str | None, str | None], int]:
        """As the real one."""
        return {(move.source, move.target): count for move, count in self.made.items() if move.period == period}


def cancelled(reason: str, items: int = 1) -> ClientError:
    """A transaction cancelled because of its first item."""
    reasons = [{"Code": reason}] + [{"Code": "None"}] * (items - 1)
    return _error("TransactionCanceledException", reason, CancellationReasons=reasons)


def _error(code: str, message: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, **more}
    return ClientError(response, "TransactWriteItems")
