"""Server-sent events: each client gets what changed since it was last told, however slow it is.

Nothing queues for a client. Whoever reads slowly is told less often, and then all that has changed meanwhile, in one
event; whoever comes back with the id of the last event within two minutes is told the difference, else everything.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from game_map.answers import Answers
    from game_map.boards import Boards

RETRY_MS = 2000
EVERYTHING, CHANGES = "levels", "changes"


class Streams:
    """All streams that are open; no more than ``most``, and ``most_each`` to one address."""

    def __init__(self, boards: Boards, most: int, most_each: int) -> None:
        self._boards, self._most, self._most_each = boards, most, most_each
        self._events: dict[tuple[int, int], bytes] = {}  # by the two versions: most clients are told the same
        self.open = 0  # may be read from any thread
        self._open: Counter[str] = Counter()  # by address

    @property
    def are_full(self) -> bool:
        """Whether one more would be too many."""
        return self.open >= self._most

    def are_full_of(self, address: str) -> bool:
        """Whether one more would be too many for ``address``."""
        return self._open[address] >= self._most_each

    async def events(self, address: str, last: int | None) -> AsyncIterator[bytes]:
        """The events of one client, whose last one was ``last``; the first one at once if there is anything to tell."""
        self.open += 1
        self._open[address] += 1
        try:
            yield b"retry: %d\n\n" % RETRY_MS
            told = last or 0
            while True:
                newest = await self._boards.after(told if self._boards.keeps(told) else 0)
                yield self._event(told, newest)
                told = newest.board.version
        finally:
            self.open -= 1
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _event(self, told: int, newest: Answers) -> bytes:
        key = told, newest.board.version
        found = self._events.get(key)
        if found is None:
            changed = self._boards.changed_since(told)
            name, body = (EVERYTHING, newest.levels()) if changed is None else (CHANGES, newest.change(changed))
            found = b"id: %d\nevent: %s\ndata: %s\n\n" % (newest.board.version, name.encode(), orjson.dumps(body))
            if any(version != newest.board.version for _, version in self._events):
                self._events = {}
            self._events[key] = found
        return found
