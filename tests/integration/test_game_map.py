"""The game map as a real process beside consumer and level aggregator: what it shows is what the tables hold."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any, Self

import httpx
import pytest

from tests.integration.conftest import MakeSite
from tests.integration.events import level_event
from tests.integration.malformed import malformed
from tests.integration.refusals import Attempt, Case
from tests.integration.service import Service, free_port
from tests.integration.sites import Site
from tests.integration.waiting import eventually, patience

SHARDS = 2
WAIT_SECONDS = 60.0
SOON_SECONDS = 10.0
STANDS_SECONDS = 4.0


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """A game with consumer and level aggregator, ready: moves of two minutes ago are looked at in turn, so not soon."""
    site = make_site("map", shards=SHARDS)
    for service in [site.start(name) for name in ("consumer", "level_aggregator")]:
        service.wait_until_ready()
    return site


@pytest.fixture(scope="module")
def port() -> int:
    """Where the map is."""
    return free_port()


@pytest.fixture(scope="module")
def game_map(site: Site, port: int) -> Service:
    """The map."""
    return site.start("game_map", HEADCOUNT_MAP_PORT=str(port), HEADCOUNT_MAP_BURST="100000")


@pytest.fixture
def api(game_map: Service, port: int) -> Iterator[httpx.Client]:
    """Asks it, once it is ready."""
    game_map.wait_until_ready()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=WAIT_SECONDS) as client:
        yield client


def shown(api: httpx.Client) -> dict[str, Any]:
    answer = api.get("/api/levels")
    assert answer.status_code == http.client.OK, answer.text
    told: dict[str, Any] = answer.json()
    return told


def counts(told: dict[str, Any]) -> dict[str, int]:
    return {level["id"]: level["players"] for level in told["levels"]}


def enter(site: Site, first: int, players: int, level: str) -> int:
    """So many players enter a level; returns a time when all of them had arrived (ms)."""
    now = time.time_ns() // 1_000_000
    for number in range(first, first + players):
        site.put(number % SHARDS, level_event(f"player-{number}", level, now))
    return time.time_ns() // 1_000_000


def test_what_is_shown_is_what_the_tables_hold(site: Site, api: httpx.Client) -> None:
    arrived = enter(site, 0, 20, "forest")
    eventually(lambda: counts(shown(api)) == {"forest": 20}, WAIT_SECONDS, "20 players in the forest")
    enter(site, 0, 5, "cave/%2F")
    eventually(lambda: counts(shown(api)) == {"forest": 15, "cave/%2F": 5}, WAIT_SECONDS, "5 of them in the cave")
    assert {level: row.players for level, row in site.counts.levels().items()} == counts(shown(api))
    assert shown(api)["total"] == 20

    level = api.get("/api/levels/cave%2F%252F", params={"minutes": 60}).json()
    assert (level["players"], level["in"], level["out"]) == (5, [{"from": "forest", "to": "cave/%2F", "count": 5}], [])
    moves = api.get("/api/transitions", params={"minutes": 60}).json()["transitions"]
    assert moves == [{"to": "forest", "count": 20}, {"from": "forest", "to": "cave/%2F", "count": 5}]
    # DynamoDB's stand-ins tell the times of changes by the minute, so only silence brings it up to date.
    eventually(lambda: (shown(api)["asOf"] or 0) > arrived, WAIT_SECONDS, "the map to be as of after the first events")


def test_a_stream_tells_changes_soon_and_goes_on_where_it_was_broken_off(
    site: Site, api: httpx.Client, port: int
) -> None:
    with Listener(port) as listener:
        name, told = listener.next()
        assert (name, counts(told)) == ("levels", counts(shown(api)))
        enter(site, 100, 3, "mine")
        changed = listener.until(lambda told: counts(told).get("mine") == 3)
        assert set(counts(changed)) == {"mine"}, "only what changed"
    enter(site, 103, 1, "mine")
    eventually(lambda: counts(shown(api))["mine"] == 4, WAIT_SECONDS, "the fourth player")
    with Listener(port, last=changed["version"]) as listener:
        name, told = listener.next()
        assert (name, counts(told)) == ("changes", {"mine": 4})


def test_it_says_how_old_the_counts_are_while_the_consumer_is_down(site: Site, api: httpx.Client) -> None:
    consumer = next(service for service in site.services if service.name == "consumer")
    before = eventually(lambda: shown(api) if shown(api)["asOf"] else None, WAIT_SECONDS, "a time that it is as of")
    assert consumer.drain() == 0
    later = enter(site, 200, 2, "tower") + STANDS_SECONDS * 1000
    stands = eventually(
        lambda: told if (told := shown(api))["version"] >= later else None, WAIT_SECONDS, "a look some seconds later"
    )
    assert "tower" not in counts(stands)
    assert stands["lagSeconds"] >= STANDS_SECONDS
    assert stands["asOf"] >= before["asOf"]

    arrived = time.time_ns() // 1_000_000
    site.start("consumer")
    eventually(lambda: counts(shown(api)).get("tower") == 2, WAIT_SECONDS, "the two in the tower")
    eventually(lambda: shown(api)["asOf"] > arrived, WAIT_SECONDS, "the map to be as of now again")


def test_ten_thousand_malformed_requests_are_refused_and_change_nothing(port: int, api: httpx.Client) -> None:
    before = counts(shown(api))
    taken: dict[str, tuple[bytes, bytes]] = {}  # by kind: a request that was not refused, and what it was told
    for one in malformed(seed=7, count=10_000):
        line = answered(port, one.request, is_whole=one.is_told)
        if not (line.startswith(b"HTTP/1.1 4") or (not line and not one.is_told)):
            taken.setdefault(one.kind, (one.request[:200], line))
    assert not taken
    assert counts(shown(api)) == before


def test_it_ends_at_once_though_streams_are_open(game_map: Service, api: httpx.Client, port: int) -> None:
    assert shown(api)
    with Listener(port) as listener:
        listener.next()
        begun = time.monotonic()
        assert game_map.drain() == 0
        assert time.monotonic() - begun < patience(SOON_SECONDS)


def test_a_port_that_is_taken_is_told_by_name(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = f"Can't serve the map on 127.0.0.1:{port}: Address already in use. Set HEADCOUNT_MAP_HOST and .*_PORT .*"
        with Attempt.start(Case("game_map", {"HEADCOUNT_MAP_PORT": str(port)}, line), site.environment) as refused:
            refused.check()


def answered(port: int, request: bytes, *, is_whole: bool = True) -> bytes:
    """The first line of the answer to a request as it is; empty where the connection was closed without one.

    To half a request, after whose end nothing comes, the server shall not wait for the rest.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as connection:
        try:
            connection.sendall(request)
            if not is_whole:
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(4096).split(b"\r\n")[0]
        except (ConnectionResetError, BrokenPipeError):
            return b""


class Listener:
    """A client of the stream."""

    def __init__(self, port: int, last: int | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
        self._connection.request("GET", "/api/stream", headers={"Last-Event-ID": str(last)} if last else {})
        self._answer = self._connection.getresponse()

    def __enter__(self) -> Self:
        """It is answered as a stream is."""
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event's name and data."""
        fields: dict[str, str] = {}
        while line := self._answer.readline().decode():
            if line == "\n" and "data" in fields:
                return fields["event"], json.loads(fields["data"])
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        raise AssertionError("the stream ended")

    def until(self, is_it: Any) -> dict[str, Any]:
        """The first event whose data is so."""
        until = time.monotonic() + patience(WAIT_SECONDS)
        while time.monotonic() < until:
            _, told = self.next()
            if is_it(told):
                return told
        raise AssertionError("no such event")
