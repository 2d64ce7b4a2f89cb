"""A proxy before an emulator that notes every call, whoever makes it: Python by HTTP/1.1, the KCL by h2c too."""

import asyncio
import json
import logging
import re
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, cast

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import Framework
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.integration.calls import Call

_SIGNED_BY = re.compile(r"Credential=([^/,]+)/[^/,]+/[^/,]+/([^/,]+)/")
_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]
# What speaks of one connection, and what each side says anew of a body that is whole.
_NOT_PASSED_ON = {"connection", "keep-alive", "upgrade", "transfer-encoding", "content-length", "host"}
_STOP_SECONDS = 10.0

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per call would hide what a test has to say


class Recording:
    """Serves ``endpoint_url`` while the context lasts. The access key id of a call is taken for its service's name."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(128)  # who comes early waits
        self.endpoint_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.calls: list[Call] = []
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
        self._thread.join(_STOP_SECONDS)
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
        # Connections are given up long before the emulator does.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=1)
        own = {"accept-encoding": "identity"}
        async with httpx.AsyncClient(
            base_url=self._upstream, headers=own, limits=limits, timeout=30, trust_env=False
        ) as self._client:
            yield

    async def _forward(self, request: Request) -> Response:
        body = await request.body()
        self._note(request, body)
        headers = [(name, value) for name, value in request.headers.items() if name not in _NOT_PASSED_ON]
        url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = await self._client.request(request.method, url, headers=headers, content=body)
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.items():
            if name not in _NOT_PASSED_ON:
                response.headers.append(name, value)
        return response

    def _note(self, request: Request, body: bytes) -> None:
        signed = _SIGNED_BY.search(request.headers.get("authorization", ""))
        service, api = signed.groups() if signed else ("nobody", "unsigned")
        target = request.headers.get("x-amz-target") or f"{api}:{request.method} {request.url.path}"
        is_json = "json" in request.headers.get("content-type", "")
        content: dict[str, Any] = json.loads(body) if is_json else {}
        self.calls.append(Call(service, target, content))
