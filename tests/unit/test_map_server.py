"""The map's HTTP server: boards from another thread, streams over a socket, counts that grow old by themselves."""

import http.client
import socket
import time
from collections.abc import Iterator

import orjson
import pytest

from game_map.api import Api
from game_map.app import make_app
from game_map.board import Blur, Board
from game_map.boards import Boards
from game_map.limits import Limits
from game_map.server import AGE_SECONDS, Server
from game_map.stream import Streams
from headcount.settings import Settings
from tests.integration.waiting import eventually, patience
from tests.unit.test_map_api import no_past


@pytest.fixture
def boards() -> Boards:
    """None yet."""
    return Boards(Blur())


@pytest.fixture
def server(boards: Boards) -> Iterator[Server]:
    """Started, on any port."""
    api = Api(boards, Streams(boards, 10, 10), no_past(boards))
    server = Server(make_app(Settings(), api, Limits(100, 100)), boards, socket.create_server(("127.0.0.1", 0)))
    server.start()
    yield server
    server.stop()
    assert not server.is_alive


@pytest.fixture
def connection(server: Server) -> Iterator[http.client.HTTPConnection]:
    """To it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=patience(10))
    yield connection
    connection.close()


def event(answer: http.client.HTTPResponse) -> bytes:
    """The next one that is told."""
    told = b""
    while (line := answer.readline()) != b"\n":
        assert line, f"the stream ended after {told!r}"
        told += line
    return told


def test_a_stream_is_told_what_another_thread_publishes(server: Server, connection: http.client.HTTPConnection) -> None:
    yet_to_come = round(time.time() * 1000) + 60_000  # so that none grows old meanwhile
    server.publish(Board(yet_to_come, players={"forest": 1}))
    connection.request("GET", "/api/stream")
    answer = connection.getresponse()
    told = [answer.getheader(name) for name in ("Content-Type", "Cache-Control", "X-Accel-Buffering")]
    assert told == ["text/event-stream; charset=utf-8", "no-store", "no"]
    assert event(answer) == b"retry: 2000\n"
    assert event(answer).startswith(b"id: %d\nevent: levels\n" % yet_to_come)
    server.publish(Board(yet_to_come + 1, players={"forest": 2}))
    assert b'"levels":[{"id":"forest","players":2}]' in event(answer)


def test_a_count_grows_old_when_nothing_new_comes(
    server: Server, boards: Boards, connection: http.client.HTTPConnection
) -> None:
    connection.request("GET", "/api/levels")
    refused = connection.getresponse()
    assert refused.status == 503, "before the first board"
    refused.read()
    connection.close()  # the server would, before the next request on a slow machine

    read_at = round(time.time() * 1000)
    server.publish(Board(read_at, as_of=read_at - 500, players={"forest": 1}))
    eventually(lambda: boards.newest.board.version > read_at, 10, "a newer board")

    connection.request("GET", "/api/levels")
    told = orjson.loads(connection.getresponse().read())
    assert told["levels"] == [{"id": "forest", "players": 1}]
    assert told["asOf"] == read_at - 500
    assert told["version"] - read_at >= AGE_SECONDS * 1000
    assert told["lagSeconds"] == (told["version"] - told["asOf"]) / 1000
