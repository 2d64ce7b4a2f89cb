"""What operators see: measured from how the services' rows move, beside the tutorial's design."""

from typing import Any

import jsonschema_rs
import pytest

from game_map.api import Api as Handlers
from game_map.app import make_app
from game_map.board import MINUTE, Blur, Board
from game_map.boards import Boards
from game_map.limits import Limits
from game_map.openapi import DESCRIPTION, described
from game_map.ops import Ops, load_of
from game_map.stream import Streams
from game_map.usage import HOUR, SAMPLE_SECONDS, Meter, Usage
from headcount.cost.prices import load_prices
from headcount.model import Progress
from headcount.settings import Settings
from tests.unit.test_map_api import Api, no_past

BEGIN = 1_750_000_020.0
CONSUMER, AGGREGATOR = "consumer/events@1/shard-1", "level_aggregator/PlayerState@1/shard-a"


class Game:
    """Rows that move evenly: 100 events a second, of them 60 of levels, for so many units of each service."""

    def __init__(self) -> None:
        self.own = 0.0
        self.meter = Meter(lambda: self.own)
        self.now = BEGIN

    def rows(self) -> dict[str, Progress]:
        """As they are now; the consumer's had much before we looked."""
        gone = round(self.now - BEGIN)
        tallies = {"applied": 10**6 + 50 * gone, "stale": 10 * gone, "ignored": 39 * gone, "dead_lettered": gone}
        seen = round(self.now * 1000) - 1500
        return {
            CONSUMER: Progress(tallies=tallies, units=10**6 + 10 * gone, seen_at=seen, updated_at=seen),
            AGGREGATOR: Progress(units=4 * gone, updated_at=seen),
        }

    def goes_on(self, seconds: float) -> Usage:
        """With a look at each sample's time."""
        until = self.now + seconds
        while self.now < until:
            self.now += SAMPLE_SECONDS
            self.own += SAMPLE_SECONDS / 2
            self.meter.look(self.now, self.rows(), pruners=round(self.now - BEGIN))
        assert self.meter.newest is not None
        return self.meter.newest


def board(game: Game) -> Board:
    """300 players in three levels; 10 moves a minute, 2 who come."""
    minute = int(game.now) // MINUTE * MINUTE
    moves = {minute - n * MINUTE: {("a", "b"): 10, (None, "a"): 2, ("c", None): 2} for n in range(10)}
    return Board(round(game.now * 1000), round(game.now * 1000) - 900, {"a": 150, "b": 100, "c": 50, "d": 0}, moves)


def served(ops: Ops | None, shown: Board) -> Api:
    boards = Boards(Blur())
    boards.publish(shown)
    return Api(make_app(Settings(), Handlers(boards, Streams(boards, 1, 1), no_past(boards), ops), Limits(100, 100)))


def test_rates_are_of_what_was_seen_to_move() -> None:
    usage = Game().goes_on(400)
    assert usage.now.seconds == 300
    assert (usage.now.events, usage.now.level_events) == (100, 60)
    assert usage.now.units == {"consumer": 10, "level_aggregator": 4, "pruner": 1, "game_map": 0.5}
    assert usage.now.per_event("consumer", "pruner") == 0.11
    assert {minute.events for minute in usage.minutes} == {100}


def test_an_hour_is_kept() -> None:
    game = Game()
    usage = game.goes_on(2 * HOUR)
    assert game.now - usage.since <= HOUR + SAMPLE_SECONDS
    assert len(usage.minutes) == 60


def test_a_row_that_goes_takes_nothing_with_it_and_a_new_one_counts_from_when_it_was_seen() -> None:
    game = Game()
    game.goes_on(100)
    rows = {"consumer/events@1/shard-2": Progress(tallies={"applied": 7 * 10**9}, units=10**9)}
    game.meter.look(game.now + SAMPLE_SECONDS, rows, 0)
    usage = game.meter.newest
    assert usage is not None
    assert usage.now.events < 100
    assert [shard.shard for shard in usage.shards] == ["shard-2"]


def test_a_stale_read_and_a_clock_that_is_set_back_count_for_nothing() -> None:
    game = Game()
    game.goes_on(100)
    before = game.rows()
    game.meter.look(game.now + 10, {name: Progress() for name in before}, 0)
    game.meter.look(game.now + 20, before, 0)
    assert game.meter.newest is not None
    assert game.meter.newest.now.events == pytest.approx(100 * 90 / 110)
    assert game.meter.is_due(game.now - 3600)
    game.meter.look(game.now - 3600, before, 0)
    game.meter.look(game.now - 3590, before, 0)
    assert game.meter.newest.since == game.now - 3600


def test_the_tutorials_design_is_reckoned_for_the_game_as_it_is() -> None:
    game = Game()
    usage = game.goes_on(400)
    load = load_of(usage, board(game))
    assert load is not None
    assert load.level_events == pytest.approx(60)
    assert load.entries == pytest.approx(2 / 60, rel=1e-6)
    assert load.moves == pytest.approx(10 / 60, rel=1e-6)
    assert (load.players, load.levels, load.kinesis_shards) == (300, 3, 1)

    told = Ops(game.meter, Settings()).told(board(game))
    assert told is not None
    # A write per level event and per leave; per move two counts and a transition, per coming and going two and two.
    wanted = (60 + 2 / 60 + 3 * 10 / 60 + 4 * 2 / 60) / 100
    assert told["writeUnitsPerEvent"] == pytest.approx({"headcount": 0.155, "tutorial": wanted}, rel=1e-4)
    price = load_prices().by_name["dynamodb_write"]
    assert told["usdPerMillionEvents"]["headcount"] == pytest.approx(price.of(155_000))
    assert told["wholeBillPerMillionEvents"]["tutorial"] > told["usdPerMillionEvents"]["tutorial"]
    assert [one["lagSeconds"] for one in told["shards"]] == [pytest.approx(1.5), None]


def test_without_events_or_players_nothing_is_claimed() -> None:
    game = Game()
    game.goes_on(100)
    told = Ops(game.meter, Settings()).told(Board(1))
    assert told is not None
    assert told["writeUnitsPerEvent"]["tutorial"] is None
    still = Meter(lambda: 0)
    for now in (0, 10):
        still.look(now, game.rows(), 0)
    told = Ops(still, Settings()).told(board(game))
    assert told is not None
    assert told["writeUnitsPerEvent"] == {"headcount": None, "tutorial": None}


@pytest.mark.parametrize("path", ["/api/ops", "/ops", "/ops.js", "/ops.css"])
def test_it_is_shown_only_where_that_is_set(path: str) -> None:
    game = Game()
    api = served(None, board(game))
    assert api.get(path).status_code == 404
    assert api.get("/api/openapi.json").json() == DESCRIPTION
    game.goes_on(100)
    assert served(Ops(game.meter, Settings()), board(game)).get(path).status_code == 200


def test_the_answer_is_as_described_and_no_cache_keeps_it() -> None:
    game = Game()
    ops = Ops(game.meter, Settings())
    shown = board(game)
    assert served(ops, shown).get("/api/ops").status_code == 503
    game.goes_on(400)
    answer = served(ops, shown).get("/api/ops")
    assert answer.headers["cache-control"] == "no-store"
    description: dict[str, Any] = {**described(ops=True), "$ref": "#/components/schemas/Ops"}
    jsonschema_rs.validator_for(description).validate(answer.json())
    assert served(ops, shown).get("/api/openapi.json").json() == described(ops=True)


def test_the_page_is_light_and_does_as_its_policy_says() -> None:
    game = Game()
    api = served(Ops(game.meter, Settings()), board(game))
    pages = [api.get(path) for path in ("/ops", "/ops.css", "/ops.js")]
    assert sum(len(page.content) for page in pages) < 30_000
    assert "<style" not in pages[0].text
    assert "style=" not in pages[0].text
    assert "http" not in pages[0].text + pages[2].text, "nothing from elsewhere"
    assert [page.headers["content-type"].split(";")[0] for page in pages] == [
        "text/html",
        "text/css",
        "text/javascript",
    ]
