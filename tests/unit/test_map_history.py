"""The history over HTTP: of all levels from memory, of one level also from the table, which is read seldom."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError

from game_map import ranges as module
from game_map.api import Api as Handlers
from game_map.app import make_app
from game_map.board import Blur, Board
from game_map.boards import Boards
from game_map.hour import GRACE_SECONDS, MINUTES, Hour
from game_map.limits import Limits
from game_map.openapi import DESCRIPTION, MOST_HISTORY_MINUTES
from game_map.past import Past
from game_map.ranges import MOST_KEPT, MOST_READING, Ranges
from game_map.stream import Streams
from headcount.metrics import MapMetrics
from headcount.model import Average
from headcount.settings import Settings
from tests.fakes.clock import Clock
from tests.fakes.history import MemoryHistory

NOON = 1_750_000_020  # the minute under way
LAST = NOON - 60
WEEK = MOST_HISTORY_MINUTES * 60
Minutes = Mapping[int, Mapping[str, Average]]


class Map:
    """The application, its clock, its table; ``seen``: the last hour, as this process saw it."""

    def __init__(self, seen: Minutes, table: MemoryHistory | None = None, fewest: int = 0) -> None:
        self.clock, self.table, self.hour, self.metrics = (
            Clock(NOON + 1),
            table or MemoryHistory(),
            Hour(),
            MapMetrics(),
        )
        self.boards, blur = Boards(Blur(fewest)), Blur(fewest)
        self.readers = ThreadPoolExecutor(2)
        ranges = Ranges(self.hour, self.table, blur, self.readers, self.metrics)
        past = Past(self.hour, ranges, self.boards, blur, self.clock)
        limits = Limits(1e6, 10**6)
        self._app = make_app(Settings(), Handlers(self.boards, Streams(self.boards, 1, 1), past), limits)
        self.look(seen)
        self.hour.is_looked_up = True

    def look(self, ended: Minutes) -> None:
        """A board of now; what ended before it."""
        levels = {level for minute in [*ended.values(), *self.table.minutes.values()] for level in minute}
        board = Board(round(self.clock.now * 1000), as_of=5, players=dict.fromkeys(levels | {"empty"}, 0))
        self.hour.look(board, ended)
        self.boards.publish(board)

    def ask(self, *requests: dict[str, Any], headers: dict[str, str] | None = None) -> list[httpx.Response]:
        """Answers to requests that are made at once, in one event loop."""

        async def script() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://map", headers=headers) as client:
                return await asyncio.gather(*(client.get("/api/history", params=one) for one in requests))

        return asyncio.run(script())

    def get(self, **parameters: Any) -> dict[str, Any]:
        """The body of one answer."""
        [answer] = self.ask(parameters)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
def town() -> Iterator[Map]:
    """Three minutes; in the middle one nobody looked."""
    made = Map({LAST: {"cave": Average(7, 6), "forest": Average(2.5, 1)}, LAST - 120: {"forest": Average(20, 20)}})
    yield made
    made.readers.shutdown()


def test_all_levels_that_had_players_and_their_sum(town: Map) -> None:
    told = town.get(minutes=4)
    assert {name: told[name] for name in ("version", "asOf", "minutes", "start", "total")} == {
        "version": town.boards.newest.board.version,
        "asOf": 5,
        "minutes": 4,
        "start": LAST - 180,
        "total": [None, 20, None, 9.5],
    }
    assert told["levels"] == [
        {"id": "forest", "averages": [None, 20, None, 2.5]},
        {"id": "cave", "averages": [None, 0, None, 7]},
    ]
    assert town.get(minutes=1)["levels"] == [{"id": "cave", "averages": [7]}, {"id": "forest", "averages": [2.5]}]
    assert town.get() == town.get(minutes=60)
    assert len(town.get()["total"]) == 60


def test_one_level_empty_ones_too(town: Map) -> None:
    told = town.get(level="cave", minutes=3)
    assert (told["level"], told["minutes"], told["start"]) == ("cave", 3, LAST - 120)
    assert told["averages"] == [0, None, 7]
    assert town.get(level="empty", minutes=3)["averages"] == [0, None, 0]
    assert len(town.get(level="cave")["averages"]) == 60
    assert not town.table.asked, "all that is in memory"


@pytest.mark.parametrize("level", ["nowhere", "", "x" * 900, "%00"])
def test_an_unknown_level_is_not_found_and_not_looked_for(town: Map, level: str) -> None:
    [answer] = town.ask({"level": level, "minutes": 10_080})
    assert answer.status_code == 404
    assert not town.table.asked


@pytest.mark.parametrize("minutes", ["0", "61", "10080", "-1", "1.5", "", "x", "९"])
def test_minutes_out_of_range_are_refused(town: Map, minutes: str) -> None:
    assert town.ask({"minutes": minutes})[0].status_code == 400


@pytest.mark.parametrize("minutes", ["0", "10081", "99999", "+5"])
def test_minutes_of_one_level_out_of_range_are_refused(town: Map, minutes: str) -> None:
    assert town.ask({"minutes": minutes, "level": "cave"})[0].status_code == 400


def test_what_is_given_twice_is_refused(town: Map) -> None:
    for parameters in ({"level": ["cave", "forest"]}, {"minutes": ["5", "5"]}):
        [answer] = town.ask(parameters)
        assert answer.status_code == 400
        assert "given once" in answer.json()["error"]


def week(minutes: int = MOST_HISTORY_MINUTES) -> MemoryHistory:
    """A table in which each minute is told apart; each seventh is missing, each third without a player."""
    table = MemoryHistory()
    for number in range(minutes):
        if number % 7:
            there = {"forest": Average(number + 0.5, 1)} if number % 3 else {}
            table.minutes[LAST - 60 * number] = {**there, "cave": Average(1, 1)}
    return table


def expected(minutes: int) -> list[float | None]:
    told = [None if not number % 7 else number + 0.5 if number % 3 else 0 for number in range(minutes)]
    return told[::-1]


@pytest.mark.parametrize("minutes", [61, 360, 361, 1440, 10_080])
def test_a_longer_range_is_read_from_the_table(minutes: int) -> None:
    town = Map({}, week())
    told = town.get(level="forest", minutes=minutes)
    assert told["averages"] == expected(minutes)
    assert told["start"] == LAST - 60 * (minutes - 1)


def test_minutes_that_this_process_saw_come_before_the_tables() -> None:
    town = Map({LAST: {"forest": Average(3, 3)}}, week())
    assert town.get(level="forest", minutes=100)["averages"] == [*expected(100)[:-1], 3]


def test_a_level_is_read_once_however_often_and_however_long_it_is_asked_for() -> None:
    town = Map({}, week())
    town.ask(*({"level": "forest", "minutes": 10_080 - number} for number in range(40)))
    town.ask(*({"level": "forest", "minutes": 61 + number} for number in range(40)))
    assert town.table.asked == [None, "forest"]

    for number in range(1, MINUTES):  # an hour goes by
        town.clock.now += 60
        town.look({LAST + 60 * number: {"forest": Average(number, 1)}})
        told = town.get(level="forest", minutes=200)["averages"]
        assert told == [*expected(200)[number:], *range(1, number + 1)]
    assert town.table.asked == [None, "forest"]

    town.table.minutes |= {LAST + 60 * number: {"forest": Average(number, 1)} for number in range(1, MINUTES + 2)}
    town.clock.now += 120
    town.look({LAST + 60 * number: {"forest": Average(number, 1)} for number in (MINUTES, MINUTES + 1)})
    assert town.get(level="forest", minutes=200)["averages"] == [*expected(200)[MINUTES + 1 :], *range(1, MINUTES + 2)]
    assert town.table.asked == [None, "forest", None, "forest"]


def test_a_wider_range_is_read_where_a_narrower_one_was() -> None:
    town = Map({}, week())
    assert town.get(level="forest", minutes=61)["averages"] == expected(61)
    assert town.get(level="forest", minutes=2000)["averages"] == expected(2000)
    assert town.get(level="cave", minutes=9000)["averages"][-2:] == [1, None]
    assert town.table.asked == [None, "forest", None, "forest", "cave"]


def test_no_more_levels_are_kept_than_fit() -> None:
    table = MemoryHistory()
    levels = [f"level-{number}" for number in range(MOST_KEPT + 1)]
    table.minutes[LAST] = dict.fromkeys(levels, Average(1, 1))
    town = Map({}, table)
    for level in [*levels, levels[-1], levels[0]]:
        town.get(level=level, minutes=61)
    assert [level for level in table.asked if level] == [*levels, levels[0]]


def test_what_is_older_than_rows_are_kept_is_not_told() -> None:
    table = week(3000)
    table.retention_seconds = 86_400
    told = Map({}, table).get(level="forest", minutes=3000)["averages"]
    assert told[-1440:] == expected(1440)
    assert set(told[:-1441]) == {None}


def test_a_table_that_cannot_be_read_is_told_and_the_last_hour_is_there(town: Map) -> None:
    town.table.failure = EndpointConnectionError(endpoint_url="http://nowhere")
    first, second = town.ask({"level": "cave", "minutes": 61}, {"level": "cave", "minutes": 61})
    assert (first.status_code, second.status_code) == (503, 503)
    assert "can't be read now" in first.json()["error"]
    assert "nowhere" not in first.text
    assert (first.headers["cache-control"], first.headers["retry-after"]) == ("no-store", "5")
    assert town.get(level="cave", minutes=60)["averages"][-1] == 7
    town.table.failure = None
    assert town.get(level="cave", minutes=61)["averages"] == [*[None] * 58, 0, None, 7]


def test_so_many_levels_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = [f"level-{number}" for number in range(MOST_READING + 5)]
    town = Map({LAST: dict.fromkeys(levels, Average(1, 1))})
    answers = town.ask(*({"level": level, "minutes": 61} for level in levels for _ in range(2)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) == 10, "twice five"
    assert all("for many others" in answer.json()["error"] for answer in refused)
    assert sum(answer.status_code == 200 for answer in answers) == 2 * MOST_READING
    monkeypatch.setattr(module, "MOST_READING", 100)
    assert {answer.status_code for answer in town.ask(*({"level": one, "minutes": 61} for one in levels))} == {200}


def test_before_anything_was_looked_up_nothing_is_claimed() -> None:
    town = Map({LAST: {"cave": Average(1, 1)}})
    town.hour.is_looked_up = False
    for parameters in ({}, {"level": "cave"}):
        [answer] = town.ask(parameters)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_an_answer_stands_until_the_next_minute(town: Map) -> None:
    town.clock.now = NOON + 20.5
    town.boards.publish(Board(round(town.clock.now * 1000), players={"cave": 1}))
    [first] = town.ask({})
    assert first.headers["cache-control"] == "public, max-age=41, stale-while-revalidate=5"
    town.clock.now += 30
    town.boards.publish(Board(round(town.clock.now * 1000), players={"cave": 2}))
    [later] = town.ask({})
    assert later.content == first.content, "boards come each second, minutes do not"
    assert later.headers["cache-control"] == "public, max-age=11, stale-while-revalidate=5"
    [known] = town.ask({}, headers={"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    [one] = town.ask({"level": "cave"})
    assert town.ask({"level": "cave"}, headers={"If-None-Match": one.headers["etag"]})[0].status_code == 304

    town.clock.now = NOON + 60.5  # no look has ended the minute yet
    [before] = town.ask({})
    assert before.headers["cache-control"] == "public, max-age=1, stale-while-revalidate=5"
    assert before.json()["start"] == first.json()["start"]
    town.look({NOON: {"cave": Average(4, 4)}})
    [after] = town.ask({})
    assert after.json()["total"][-1] == 4
    assert after.headers["cache-control"] == "public, max-age=61, stale-while-revalidate=5"


def test_a_minute_that_no_look_ends_is_told_as_unknown_in_the_end(town: Map) -> None:
    town.clock.now = NOON + 60 + GRACE_SECONDS
    assert town.get(level="cave", minutes=2)["averages"] == [7, None]


def test_small_numbers_are_hidden_of_whatever_they_are_the_average() -> None:
    """10 for half a minute and 1 for the other half: an average of 5.5 would tell of that one."""
    seen = {LAST: {"cave": Average(5.5, 1), "forest": Average(30, 5), "mine": Average(0.2, 5)}}
    table = MemoryHistory()
    table.minutes = {LAST: seen[LAST], LAST - 3600: seen[LAST]}
    town = Map(seen, table, fewest=5)
    told = town.get(minutes=1)
    assert told["total"] == [30.2], "the whole would give the hidden one away"
    assert {one["id"]: one["averages"] for one in told["levels"]} == {"forest": [30], "mine": [0.2], "cave": [None]}
    assert town.get(level="cave", minutes=1)["averages"] == [None]
    assert town.get(level="empty", minutes=1)["averages"] == [0]
    assert town.get(level="cave", minutes=61)["averages"] == [None] * 61
    assert town.get(level="mine", minutes=61)["averages"] == [0.2, *[None] * 59, 0.2]


def test_the_answers_are_as_the_description_says(town: Map) -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    assert town.get().keys() == schemas["WholeHistory"]["properties"].keys()
    assert town.get(level="cave").keys() == schemas["LevelHistory"]["properties"].keys()
