"""A proxy before DynamoDB that can be made ill: what then happens to a call is one of `tests.fault.ills`."""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import h11
import httpx

from tests.forwarding import call_of, client_of, listening, passed_on
from tests.integration.calls import Call

_STOP_SECONDS = 10.0
_CHUNK = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


@dataclass(frozen=True)
class Answer:
    """What DynamoDB says, or what is said in its name."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Forward = Callable[[], Awaitable[Answer]]


class Ill(Protocol):
    """What happens to calls."""

    async def treat(self, call: Call, forward: Forward) -> Answer | None:
        """The answer; None: the connection is reset instead. ``forward`` has DynamoDB carry the call out."""


class Toxic:
    """Serves ``endpoint_url`` while the context lasts; passes on faithfully as long as ``ill`` is None."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._socket, self.endpoint_url = listening()
        self.ill: Ill | None = None
        self._client: httpx.AsyncClient
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="toxic", daemon=True)
        self._serving = threading.Event()

    def __enter__(self) -> Self:
        """Start it."""
        self._thread.start()
        self._serving.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self.in_loop(self._stop.set)
        self._thread.join(_STOP_SECONDS)

    def in_loop(self, action: Callable[[], object]) -> None:
        """Have the proxy's thread do something."""
        self._loop.call_soon_threadsafe(action)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with client_of(self._upstream) as self._client:
            server = await asyncio.start_server(self._connected, sock=self._socket)
            self._serving.set()
            async with server:
                await self._stop.wait()
                server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = h11.Connection(h11.SERVER)
        with suppress(ConnectionError, h11.RemoteProtocolError):
            while (asked := await _next_request(protocol, reader)) is not None:
                request, body = asked
                answer = await self._answer(request, body)
                if answer is None:
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                    break
                length = ("content-length", str(len(answer.body)))
                head = h11.Response(status_code=answer.status, headers=[*answer.headers, length])
                for event in (head, h11.Data(data=answer.body), h11.EndOfMessage()):
                    writer.write(protocol.send(event) or b"")
                await writer.drain()
                if protocol.our_state is h11.MUST_CLOSE:
                    break
                protocol.start_next_cycle()
        writer.transport.abort()

    async def _answer(self, request: h11.Request, body: bytes) -> Answer | None:
        headers = {name.decode(): value.decode() for name, value in request.headers}  # h11 gives lower-case names
        method, path = request.method.decode(), request.target.decode()

        async def forward() -> Answer:
            found = await self._client.request(method, path, headers=passed_on(headers.items()), content=body)
            return Answer(found.status_code, passed_on(found.headers.items()), found.content)

        ill = self.ill
        return await (forward() if ill is None else ill.treat(call_of(method, path, headers, body), forward))


async def _next_request(protocol: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, bytes] | None:
    """The next request, whole; None: the client has gone."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = protocol.next_event()
        match event:
            case h11.NEED_DATA:
                protocol.receive_data(await reader.read(_CHUNK))
            case h11.Request():
                request = event
            case h11.Data():
                body += event.data
            case h11.EndOfMessage() if request is not None:
                return request, bytes(body)
            case _:
                return None
