"""The newest board, for all who answer or stream: published from the thread that reads, awaited in the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from game_map.answers import Answers
from game_map.board import Board, changes

if TYPE_CHECKING:
    from game_map.board import Blur

KEPT = 120  # boards, so seconds that a stream may be broken off and still be told only what changed


class Boards:
    """Keeps the last boards. To be used in one event loop; `publish` from any thread, by ``call_soon_threadsafe``."""

    def __init__(self, blur: Blur) -> None:
        self._blur = blur
        self._kept: deque[Answers] = deque([Answers(Board(0), blur)], maxlen=KEPT)
        self._changed = asyncio.Event()

    @property
    def newest(self) -> Answers:
        """What is known now."""
        return self._kept[-1]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read yet."""
        return self.newest.board.version == 0

    def publish(self, board: Board) -> None:
        """Show a board, and wake all who wait. Versions rise, whatever the clock and the last board's aging did."""
        least = self.newest.board.version + 1
        if board.version < least:
            board = replace(board, version=least)
        self._kept.append(Answers(board, self._blur))
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, version: int) -> Answers:
        """The newest board once it is newer than ``version``."""
        while self.newest.board.version <= version:
            await self._changed.wait()
        return self.newest

    def changed_since(self, version: int) -> dict[str, int] | None:
        """Levels whose count differs now from what it was at ``version``; None: that board is not kept."""
        for answers in self._kept:
            if answers.board.version == version and version:
                return changes(answers.board, self.newest.board)
        return None
