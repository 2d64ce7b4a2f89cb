"""The map's history, of real processes: what LevelState said, minute by minute; killed, followed, looked up anew."""

import time
from collections import Counter
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import httpx
import psutil
import pytest

from game_map.board import Board
from game_map.hour import Hour
from game_map.recorder import Recorder
from headcount.metrics import MapMetrics
from headcount.model import Average, Position, Progress, Transition
from headcount.tables.counts import Net
from headcount.tables.history import HistoryTable
from tests.fakes.clock import Clock
from tests.integration.conftest import MakeSite
from tests.integration.service import Service, free_port
from tests.integration.sites import Site
from tests.integration.waiting import eventually

MINUTE = 60
CHANGE_AT = 20  # s into the minute
WAIT_SECONDS = 60.0
YESTERDAY = int(time.time()) // MINUTE * MINUTE - 24 * 3600
WRITTEN = ("headcount_map_history_periods_total", "result=written")
PUBLISHES = ("headcount_map_publishes", "what=history")


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """Tables and stream; nobody writes the counts but this test. The lease outlasts whatever holds its holder up."""
    return make_site("history", shards=1, HEADCOUNT_FAILOVER_SECONDS="20")


class Counts:
    """Sets what LevelState says."""

    def __init__(self, site: Site, worker: str = "test") -> None:
        self._site, self._worker, self._was, self._at = site, worker, Progress(), 0

    def move(self, source: str | None, target: str | None, players: int) -> None:
        """So many at once."""
        net, self._at = Net(), self._at + 1
        for _ in range(players):
            net.add(Transition(int(time.time()) // MINUTE * MINUTE, source, target))
        now = Progress(Position(self._at))
        self._site.counts.apply(net, self._site.progress, self._worker, self._was, now)
        self._was = now


class Map:
    """A replica, and what it answers."""

    def __init__(self, site: Site) -> None:
        self.port = free_port()
        self.service: Service = site.start("game_map", HEADCOUNT_MAP_PORT=str(self.port))

    @property
    def publishes(self) -> bool:
        """Whether it holds the lease."""
        return bool(self.service.metrics().get(PUBLISHES))

    @property
    def written(self) -> float:
        """Minutes that it wrote."""
        return self.service.metrics()[WRITTEN]

    def history(self, **parameters: Any) -> dict[str, Any]:
        """Once there is any."""

        def answer() -> dict[str, Any] | None:
            with suppress(httpx.TransportError):
                url = f"http://127.0.0.1:{self.port}/api/history"
                got = httpx.get(url, params=parameters, trust_env=False, timeout=WAIT_SECONDS)
                return dict(got.json()) if got.status_code == httpx.codes.OK else None
            return None

        return eventually(answer, WAIT_SECONDS, f"a history of {parameters}")

    def kill(self) -> None:
        """As the kernel does."""
        with suppress(psutil.NoSuchProcess):
            self.service.supervisor.kill()
        self.service.wait()


def wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def test_minutes_are_what_levelstate_said_whoever_writes_them(site: Site) -> None:
    counts, table = Counts(site), HistoryTable(site.dynamodb, site.tables["HISTORY"], 604_800)
    counts.move(None, "forest", 10)
    counts.move(None, "cave/%2F", 3)
    counts.move(None, "empty", 1)
    counts.move("empty", None, 1)
    maps = [Map(site), Map(site)]
    for one in maps:
        one.service.wait_until_ready()
    holder = eventually(lambda: next((one for one in maps if one.publishes), None), WAIT_SECONDS, "a publisher")
    [other] = [one for one in maps if one is not holder]

    first = int(time.time()) // MINUTE * MINUTE + MINUTE
    wait_until(first + CHANGE_AT)
    counts.move("forest", None, 6)
    eventually(lambda: first in table.seen(first, first), 2 * MINUTE, "the first whole minute to be written")
    [(_, forest)] = table.averages("forest", first, first).items()
    assert 4 < forest.players < 10, "to the thousandth it is held to LevelState by the test below"
    assert forest.least == 4
    assert table.averages("cave/%2F", first, first) == {first: Average(3, 3)}
    assert table.averages("empty", first, first) == {}

    # Killed in the middle of a minute, which the other one has seen.
    begin, end, once = first - 10 * MINUTE, first + 10 * MINUTE, "each minute to be written once"
    eventually(lambda: holder.written == len(table.seen(begin, end)), WAIT_SECONDS, once)
    written = holder.written
    assert other.written == 0
    wait_until(first + MINUTE + CHANGE_AT)
    holder.kill()
    second = first + MINUTE
    eventually(lambda: second in table.seen(second, second), 2 * MINUTE, "the minute in which one was killed")
    assert table.averages("forest", second, second) == {second: Average(4, 4)}
    eventually(lambda: written + other.written == len(table.seen(begin, end)), WAIT_SECONDS, once)

    # The one that was killed comes back, and tells what the table holds of minutes that it did not see.
    again = Map(site)
    again.service.wait_until_ready()
    told = again.history()
    rows = {level: table.averages(level, told["start"], second) for level in ("forest", "cave/%2F")}
    for minute in sorted(table.seen(told["start"], second)):
        at = (minute - told["start"]) // MINUTE
        expected = {level: rows[level][minute].players for level in rows}
        assert {one["id"]: one["averages"][at] for one in told["levels"]} == expected
        assert told["total"][at] == pytest.approx(sum(expected.values()), abs=0.001)
    longer = again.history(level="forest", minutes=10_080)
    at = (second - longer["start"]) // MINUTE
    assert longer["averages"][at - 1 : at + 1] == [forest.players, 4]
    assert len(longer["averages"]) == 10_080
    empty = again.history(level="empty")
    assert empty["averages"][(second - empty["start"]) // MINUTE] == 0
    # So does the one that stayed, but for a look more or less in the minute in which players moved.
    told = other.history()
    at = (second - told["start"]) // MINUTE
    stayed = {one["id"]: one["averages"] for one in told["levels"]}
    assert {level: averages[at] for level, averages in stayed.items()} == {"forest": 4, "cave/%2F": 3}
    assert 4 < stayed["forest"][at - 1] < 10


def test_each_row_is_the_mean_of_what_levelstate_said_second_by_second(site: Site) -> None:
    """On the real tables, by a clock of one's own; two replicas, one of which is killed."""
    rng, counts = Random(7), Counts(site, worker="another")
    table = HistoryTable(site.dynamodb, site.tables["HISTORY"], 604_800)
    clock, alive = Clock(YESTERDAY), [True, True]
    recorders = [
        Recorder(Hour(), table, partial(_holds, alive, number), MapMetrics(), clock) for number in range(len(alive))
    ]
    sums, least = Counter[tuple[int, str]](), dict[tuple[int, str], int]()
    counts.move(None, "mine", 9)
    players = {level: row.players for level, row in site.counts.levels().items()}
    for second in range(3 * MINUTE + 2):
        minute = YESTERDAY + second // MINUTE * MINUTE
        if second % 10 == 0:
            level = rng.choice(["mine", "tower"])
            counts.move(None, level, rng.randint(1, 5)) if rng.random() < 0.7 else counts.move("mine", "tower", 1)
            players = {level: row.players for level, row in site.counts.levels().items()}
        if second == 90:
            alive[0] = False
        for recorder in (one for one, lives in zip(recorders, alive, strict=True) if lives):
            recorder.see(Board(round(clock.now * 1000), players=players))
            recorder.turn()
        for level, count in players.items():
            if count > 0:
                sums[minute, level] += count
                least[minute, level] = min(count, least.get((minute, level), count))
        clock.now += 1

    minutes = [YESTERDAY, YESTERDAY + MINUTE, YESTERDAY + 2 * MINUTE]
    assert table.seen(YESTERDAY, YESTERDAY + 5 * MINUTE) == set(minutes)
    for level in {level for _, level in sums}:
        expected = {
            minute: Average(round(sums[minute, level] / MINUTE, 3), least[minute, level])
            for minute in minutes
            if sums[minute, level]
        }
        assert table.averages(level, minutes[0], minutes[-1]) == expected


def _holds(alive: list[bool], number: int) -> bool:
    """The first that lives does."""
    return alive.index(True) == number
