"""The API: what it answers, and what it refuses. Its answers are as its description says."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from game_map.api import Api as Handlers
from game_map.app import make_app
from game_map.board import Blur, Board, changes
from game_map.boards import Boards
from game_map.hour import Hour
from game_map.limits import Limits
from game_map.openapi import DESCRIPTION
from game_map.past import Past
from game_map.ranges import Ranges
from game_map.stream import Streams
from headcount.metrics import MapMetrics
from headcount.settings import Settings
from tests.fakes.history import MemoryHistory

MINUTE = 1_750_000_020
BOARD = Board(
    version=MINUTE * 1000 + 30_000,
    as_of=MINUTE * 1000 + 28_500,
    players={"forest": 3, "cave": 7, "a/b %": 1, "empty": 0},
    moves={
        MINUTE: {(None, "cave"): 2, ("cave", "forest"): 1},
        MINUTE - 60: {("cave", "forest"): 4, ("forest", None): 1},
    },
)
HEAD = {"version": BOARD.version, "asOf": BOARD.as_of, "lagSeconds": 1.5}


class Api:
    """Asks the application, without a server."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Its answer."""

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://map") as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(ask())

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Its answer."""
        return self.request("GET", path, **arguments)


class Still(Limits):
    """Time stands still: however slow the machine is, no token comes back between two requests."""

    def wait(self, address: str, now: float) -> float:  # noqa: ARG002 (it stands still)
        """As ever, at one moment."""
        return super().wait(address, 0)


def served(board: Board | None = BOARD, **settings: Any) -> Api:
    chosen = Settings(**settings)
    boards = Boards(Blur(chosen.map_fewest))
    if board is not None:
        boards.publish(board)
    limits = Still(chosen.map_rate, chosen.map_burst)
    streams = Streams(boards, chosen.map_streams, chosen.map_address_streams)
    return Api(make_app(chosen, Handlers(boards, streams, no_past(boards)), limits))


def no_past(boards: Boards) -> Past:
    """A history that is empty."""
    hour = Hour()
    ranges = Ranges(hour, MemoryHistory(), Blur(), ThreadPoolExecutor(1), MapMetrics())
    return Past(hour, ranges, boards, Blur())


@pytest.fixture
def api() -> Api:
    """The board above."""
    return served()


def test_levels_with_players_fullest_first(api: Api) -> None:
    assert api.get("/api/levels").json() == {
        **HEAD,
        "total": 11,
        "levels": [{"id": "cave", "players": 7}, {"id": "forest", "players": 3}, {"id": "a/b %", "players": 1}],
    }


def test_a_level_with_its_moves(api: Api) -> None:
    assert api.get("/api/levels/forest?minutes=2").json() == {
        **HEAD,
        "id": "forest",
        "players": 3,
        "minutes": 2,
        "in": [{"from": "cave", "to": "forest", "count": 5}],
        "out": [{"from": "forest", "count": 1}],
    }
    assert api.get("/api/levels/forest?minutes=1").json()["in"] == [{"from": "cave", "to": "forest", "count": 1}]
    assert api.get("/api/levels/a%2Fb%20%25").json()["players"] == 1
    assert api.get("/api/levels/empty").json()["players"] == 0


def test_moves(api: Api) -> None:
    told = api.get("/api/transitions?minutes=60").json()
    assert told == {
        **HEAD,
        "minutes": 60,
        "transitions": [
            {"from": "cave", "to": "forest", "count": 5},
            {"to": "cave", "count": 2},
            {"from": "forest", "count": 1},
        ],
    }


@pytest.mark.parametrize("level", ["nowhere", "", "%00", "..%2F..%2Fetc", "x" * 900])
def test_an_unknown_level_is_not_found(api: Api, level: str) -> None:
    answer = api.get(f"/api/levels/{level}")
    assert answer.status_code == 404
    assert "error" in answer.json()


@pytest.mark.parametrize("minutes", ["0", "61", "-1", "1.5", "", "x", "९", "1e3", "9" * 400, "+5"])
def test_minutes_out_of_range_are_refused(api: Api, minutes: str) -> None:
    answer = api.get("/api/transitions", params={"minutes": minutes})
    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "no-store"


def test_minutes_given_twice_are_refused(api: Api) -> None:
    assert api.get("/api/transitions?minutes=5&minutes=6").status_code == 400
    assert api.get("/api/levels/forest?minutes=5&minutes=5").status_code == 400


def test_what_is_too_long_is_refused(api: Api) -> None:
    assert api.get("/api/levels?" + "x" * 2048).status_code == 414
    assert api.get("/api/levels", headers={"X-Long": "x" * 16_384}).status_code == 431


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_reading_is_allowed(api: Api, method: str) -> None:
    assert api.request(method, "/api/levels").status_code == 405


def test_who_knows_it_already_is_told_so(api: Api) -> None:
    first = api.get("/api/levels")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=1, stale-while-revalidate=5"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = api.get("/api/levels", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert api.get("/api/levels", headers={"If-None-Match": '"other"'}).status_code == 200


def test_before_the_first_look_nothing_is_claimed() -> None:
    for path in ("/api/levels", "/api/levels/forest", "/api/transitions"):
        assert served(None).get(path).status_code == 503


def test_small_numbers_can_be_hidden() -> None:
    api = served(map_fewest=4)
    levels = api.get("/api/levels").json()
    assert levels["levels"] == [
        {"id": "cave", "players": 7},
        {"id": "a/b %", "players": None},  # fewer than in the forest, which nobody is told
        {"id": "forest", "players": None},
    ]
    assert levels["total"] == 7, "the whole would give the hidden ones away"
    assert api.get("/api/levels/forest").json()["players"] is None
    assert api.get("/api/levels/empty").json()["players"] == 0
    assert api.get("/api/transitions").json()["transitions"] == [{"from": "cave", "to": "forest", "count": 5}]


def test_one_address_may_ask_so_often() -> None:
    api = served(map_burst=2, map_rate=0.5)
    answers = [api.get("/api/levels") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "2"


@pytest.mark.parametrize(("proxies", "codes"), [(0, [200, 429, 429]), (1, [200, 200, 429]), (2, [200, 429, 429])])
def test_an_address_is_what_our_own_proxies_say(proxies: int, codes: list[int]) -> None:
    api = served(map_burst=1, map_rate=0.1, map_proxies=proxies)
    claims = [["192.0.2.1", "203.0.113.1"], ["192.0.2.1", "203.0.113.2"], ["192.0.2.9, 192.0.2.1, 203.0.113.1"]]
    answers = [api.get("/api/levels", headers=[("X-Forwarded-For", one) for one in claim]) for claim in claims]
    assert [answer.status_code for answer in answers] == codes


@pytest.mark.parametrize("path", ["/api/levels", "/api/levels/nowhere", "/nothing", "/api/transitions?minutes=0"])
def test_browsers_are_told_to_be_careful(api: Api, path: str) -> None:
    headers = api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "server" not in headers


def test_other_origins_may_ask_where_that_is_set() -> None:
    origin = {"Origin": "https://game.example"}
    assert "access-control-allow-origin" not in served().get("/api/levels", headers=origin).headers
    api = served(map_origins="https://game.example, https://other.example")
    assert api.get("/api/levels", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
    strange = api.get("/api/levels", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in strange.headers


def test_a_stream_too_many_is_refused_and_its_head_is_no_stream() -> None:
    boards = Boards(Blur())
    for most, most_each, code in ((0, 1, 503), (1, 0, 429)):
        streams = Streams(boards, most, most_each)
        api = Api(make_app(Settings(), Handlers(boards, streams, no_past(boards)), Limits(10, 10)))
        refused = api.get("/api/stream")
        assert (refused.status_code, refused.headers["retry-after"]) == (code, "10")
    assert served().request("HEAD", "/api/stream").headers["content-type"].startswith("text/event-stream")


def test_the_answers_are_as_the_description_says(api: Api) -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    for path, name in (
        ("/api/levels", "Levels"),
        ("/api/levels/forest", "Level"),
        ("/api/transitions", "Transitions"),
        ("/api/levels/nowhere", "Error"),
    ):
        assert api.get(path).json().keys() == schemas[name]["properties"].keys()
    assert api.get("/api/openapi.json").json() == DESCRIPTION


def test_what_changed_between_two_boards() -> None:
    after = Board(BOARD.version + 1, players={"forest": 3, "cave": 6, "new": 2, "empty": 0})
    assert changes(BOARD, after, Blur()) == {"a/b %": 0, "cave": 6, "new": 2}
    assert changes(BOARD, BOARD, Blur()) == {}

    # Who may not know how many there are is not told either that they became fewer.
    fewer = Board(after.version + 1, players={**after.players, "new": 1})
    assert changes(after, fewer, Blur(3)) == {}
    assert changes(after, fewer, Blur(2)) == {"new": 1}
    assert changes(after, Board(fewer.version, players={**after.players, "new": 0}), Blur(3)) == {"new": 0}
