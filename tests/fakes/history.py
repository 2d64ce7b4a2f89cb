"""LevelHistory in memory."""

from collections import Counter
from collections.abc import Mapping

from headcount.model import Average
from headcount.tables.history import HistoryTable


class MemoryHistory(HistoryTable):
    """Passes ``tests/contract/test_history_table.py``. ``failure``: what the next call raises, if anything."""

    def __init__(self, retention_seconds: int = 604_800) -> None:
        self.name, self.retention_seconds = "LevelHistory", retention_seconds
        self.minutes: dict[int, dict[str, Average]] = {}
        self.writes: Counter[int] = Counter()
        self.asked: list[str | None] = []  # the levels, None: which minutes there are
        self.failure: Exception | None = None

    def write(self, minute: int, averages: Mapping[str, Average]) -> None:
        """As the real one."""
        self._fail()
        self.minutes[minute] = {**self.minutes.get(minute, {}), **averages}
        self.writes[minute] += 1

    def seen(self, first: int, last: int) -> set[int]:
        """As the real one."""
        self._fail()
        self.asked.append(None)
        return {minute for minute in self.minutes if first <= minute <= last}

    def averages(self, level: str, first: int, last: int) -> dict[int, Average]:
        """As the real one."""
        self._fail()
        self.asked.append(level)
        return {
            minute: told[level] for minute, told in self.minutes.items() if first <= minute <= last and level in told
        }

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
