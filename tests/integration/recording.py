"""A proxy before an emulator that notes every call, whoever makes it: Python by HTTP/1.1, the KCL by h2c too."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, cast

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import Framework
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.forwarding import call_of, client_of, listening, passed_on
from tests.integration.calls import Call
from tests.integration.iterators import Iterators
from tests.integration.waiting import patience

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]
_STOP_SECONDS = 10.0
_ENDLESS = ".SubscribeToShard"  # its answer lasts for minutes: events as they come


class Recording:
    """Serves ``endpoint_url`` while the context lasts. The access key id of a call is taken for its service's name."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._socket, self.endpoint_url = listening()
        self.calls: list[Call] = []
        self._iterators = Iterators()
        self._client: httpx.AsyncClient
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    def __enter__(self) -> Self:
        """Start it."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(patience(_STOP_SECONDS))
        self._loop.close()

    def _run(self) -> None:
        app = Starlette(routes=[Route("/{path:path}", self._forward, methods=_METHODS)], lifespan=self._lifespan)
        config = Config()
        config.bind = [f"fd://{self._socket.detach()}"]
        config.graceful_timeout = 1
        config.loglevel = "WARNING"
        config.include_server_header = False  # the emulator's is passed on
        config.include_date_header = False
        serving = serve(cast("Framework", app), config, shutdown_trigger=self._stop.wait, mode="asgi")
        self._loop.run_until_complete(serving)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with client_of(self._upstream) as self._client:
            yield

    async def _forward(self, request: Request) -> Response:
        body = await request.body()
        url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        call = self._iterators.resolved(call_of(request.method, url, request.headers, body))
        self.calls.append(call)
        headers = passed_on(request.headers.items())
        asked = self._client.build_request(request.method, url, headers=headers, content=body)
        answer = await self._client.send(asked, stream=True)
        response: Response
        if call.target.endswith(_ENDLESS):
            end = BackgroundTask(answer.aclose)
            response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=end)
        else:
            content = await answer.aread()
            if answer.is_success:
                self._iterators.learn(call, content)
            response = Response(content, answer.status_code)
        for name, value in passed_on(answer.headers.items()):
            response.headers.append(name, value)
        return response
