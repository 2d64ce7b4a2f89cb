"""What a process spends on DynamoDB in write units, and what of it stands in no table yet: for the operators' page."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Spending:
    """Write units that this process has used on all tables. To be used from any thread."""

    def __init__(self) -> None:
        self._lock, self._units = Lock(), 0.0

    def add(self, units: float) -> None:
        """So many more."""
        with self._lock:
            self._units += units

    def units(self) -> float:
        """Since the process began."""
        return self._units


class Untold:
    """What was spent since it was last told. An estimate: who dies, dies untold; a lost answer may be told twice."""

    def __init__(self, spent: Callable[[], float]) -> None:
        self._spent, self._told = spent, 0

    def units(self) -> int:
        """Whole units to tell of now."""
        return int(self._spent()) - self._told

    def tell(self, units: int) -> None:
        """So many stand in the table now."""
        self._told += units


def nothing() -> float:
    """Of who has no client of AWS: tests in memory."""
    return 0.0
