"""The newest board, for all who answer or stream: published from the thread that reads, awaited in the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from game_map.answers import Answers, encoded
from game_map.board import Board, changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from game_map.board import Blur

KEPT = 120  # boards, so seconds that a stream may be broken off and still be told only what changed


class Boards:
    """Keeps the last boards. To be used in one event loop; `publish` from any thread, by ``call_soon_threadsafe``.

    Whether it `is_empty` may be asked from any thread.
    """

    def __init__(self, blur: Blur) -> None:
        self._blur = blur
        self._newest = Answers(Board(0), blur)
        self._kept: dict[int, Answers] = {}  # by version, oldest first
        self._encoded: dict[tuple[str, int], tuple[bytes, str]] = {}  # bodies of the newest
        self._changed = asyncio.Event()

    @property
    def newest(self) -> Answers:
        """What is known now."""
        return self._newest

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read yet."""
        return self.newest.board.version == 0

    def publish(self, board: Board) -> None:
        """Show a board, and wake all who wait. Versions rise, whatever the clock and the last board's aging did."""
        least = self.newest.board.version + 1
        if board.version < least:
            board = replace(board, version=least)
        self._newest = self._kept[board.version] = Answers(board, self._blur)
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        self._encoded.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    def encoded(self, what: tuple[str, int], make: Callable[[], dict[str, Any]]) -> tuple[bytes, str]:
        """A body of the newest board and its entity tag, made once for all who ask; ``what`` names it."""
        if what not in self._encoded:
            self._encoded[what] = encoded(make())
        return self._encoded[what]

    async def after(self, version: int) -> Answers:
        """The newest board once it is newer than ``version``."""
        while self.newest.board.version <= version:
            await self._changed.wait()
        return self.newest

    def keeps(self, version: int) -> bool:
        """Whether it is known what has changed since ``version``. Asked for each client and event: it must be quick."""
        return version in self._kept

    def changed_since(self, version: int) -> dict[str, int] | None:
        """Levels whose count differs now from what it was at ``version``; None: that board is not kept."""
        then = self._kept.get(version)
        return None if then is None else changes(then.board, self._newest.board, self._blur)
