"""Many clients of the map's stream in one process, as browsers are: ``python -m benchmarks.listeners PORT COUNT SLOW``.

Each comes back ``RETRY_SECONDS`` after it lost the stream, with the last id, for good. ``SLOW`` of them never read. A
line on stdin is answered by one of JSON: ``state`` by who is told something, ``take`` by what was received since.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import time
from collections import defaultdict

import orjson

RETRY_SECONDS = 2.0  # as the map's `retry:` says
SMALL_BUFFER = 4096
AT_ONCE = 50  # that connect, at first
PROBE = re.compile(rb'"id":"probe","players":(\d+)')
ID = re.compile(rb"id: (\d+)\n")


class Listener(asyncio.Protocol):
    """One stream. ``received``: monotonic s by the probe's number."""

    def __init__(self, slow: bool) -> None:
        self.slow, self.told, self.last = slow, False, b""
        self.received: list[tuple[int, float]] = []
        self.lost = asyncio.get_running_loop().create_future()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError
        again = b"Last-Event-ID: %b\r\n" % self.last if self.last else b""
        transport.write(b"GET /api/stream HTTP/1.1\r\nHost: map\r\nAccept: text/event-stream\r\n%b\r\n" % again)
        self.told = False
        self.lost = asyncio.get_running_loop().create_future()
        if self.slow:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Note the probe of each event that is whole."""
        now = time.monotonic()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            if found := PROBE.search(event):
                self.received.append((int(found[1]), now))
            if found := ID.search(event):
                self.told, self.last = True, found[1]

    def connection_lost(self, _: Exception | None) -> None:
        """The server has gone."""
        self.told, self._rest = False, b""
        if not self.lost.done():
            self.lost.set_result(None)


async def _stay(listener: Listener, port: int, turn: asyncio.Semaphore) -> None:
    loop = asyncio.get_running_loop()
    await turn.acquire()
    first = True
    while True:
        its = socket.socket()
        its.setblocking(False)
        if listener.slow:
            its.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        try:
            await loop.sock_connect(its, ("127.0.0.1", port))
            await loop.create_connection(lambda: listener, sock=its)
        except OSError:
            its.close()
        else:
            if first:
                loop.call_later(1, turn.release)
                first = False
            await listener.lost
        await asyncio.sleep(RETRY_SECONDS)


async def _main(port: int, count: int, slow: int) -> None:
    loop = asyncio.get_running_loop()
    listeners = [Listener(number < slow) for number in range(count)]
    turn = asyncio.Semaphore(AT_ONCE)
    staying = [asyncio.create_task(_stay(listener, port, turn)) for listener in listeners]
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while command := (await commands.readline()).strip():
        if command == b"take":
            received: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
            for number, listener in enumerate(listeners):
                if not listener.slow:
                    received[number], listener.received = listener.received, []
            answer = list(received.values())
        else:
            answer = [sum(1 for one in listeners if one.told), len(listeners)]  # type: ignore[list-item] # of numbers
        sys.stdout.write(orjson.dumps(answer).decode() + "\n")
        sys.stdout.flush()
    for task in staying:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(_main(*map(int, sys.argv[1:4])))
