"""A handler that shows what the record processor tells it."""

from collections.abc import Sequence

from headcount.model import Position, Record


class Recorder:
    """A handler that notes what it is told, and fails where it shall."""

    def __init__(self, fails_in: str = "") -> None:
        self.told: list[object] = []
        self._fails_in = fails_in
        self._last: Record | None = None

    def make(self, _shard: str) -> "Recorder":
        """Only this one."""
        self._fail("make")
        return self

    def start(self, checkpoint: Position | None) -> None:
        """Note where to begin."""
        self._fail("start")
        self.told.append(checkpoint)

    def handle(self, records: Sequence[Record], *, caught_up: bool) -> dict[str, int]:
        """Note the batch."""
        self.told.append(("handle", [one.data for one in records], caught_up))
        self._fail("handle")
        self._last = records[-1] if records else None
        return {}

    def settle(self, *, everything: bool, ended: bool = False) -> Record | None:
        """Everything is settled, at once."""
        self.told.append(("settle", everything, ended))
        self._fail("settle")
        last, self._last = self._last, None
        return last

    def _fail(self, where: str) -> None:
        if where == self._fails_in:
            raise RuntimeError(where)
