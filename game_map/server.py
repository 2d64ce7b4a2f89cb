"""The HTTP server in a thread of its own, and how boards get into its event loop."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from game_map.board import Board
    from game_map.boards import Boards

AGE_SECONDS = 1.5  # without a new board the last one is shown again, its lag grown
GRACE_SECONDS = 3  # for answers under way; streams are broken off, and their clients come back elsewhere
START_SECONDS = 30.0


class Server:
    """Serves ``app`` on ``listener`` from `start` to `stop`."""

    def __init__(self, app: Starlette, boards: Boards, listener: socket.socket) -> None:
        self._boards, self._listener = boards, listener
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,  # who asks is `game_map.limits`' to judge
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def is_alive(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive() and self._server.started

    def start(self) -> None:
        """Returns when it serves. Raises `TimeoutError`."""
        self._thread.start()
        until = time.monotonic() + START_SECONDS
        while not self.is_alive:
            if time.monotonic() > until or not self._thread.is_alive():
                raise TimeoutError("the HTTP server of the map did not start")
            time.sleep(0.01)

    def publish(self, board: Board) -> None:
        """Show a board; from any thread."""
        self._loop.call_soon_threadsafe(self._boards.publish, board)

    def stop(self) -> None:
        """Answer what is under way and end; nothing may be published afterwards."""
        self._server.should_exit = True
        self._thread.join(GRACE_SECONDS + 2)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self) -> None:
        _raise_the_limit_of_files()
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        aging = asyncio.create_task(self._age())
        await self._server.serve(sockets=[self._listener])
        aging.cancel()

    async def _age(self) -> None:
        """However long AWS is silent: an old count is never shown as if it were new."""
        while True:
            await asyncio.sleep(AGE_SECONDS / 3)
            board, now = self._boards.newest.board, round(time.time() * 1000)
            if not self._boards.is_empty and now - board.version >= AGE_SECONDS * 1000:
                self._boards.publish(replace(board, version=now))


def _raise_the_limit_of_files() -> None:
    """Each stream is one, and 1,024 are what a process often begins with."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
