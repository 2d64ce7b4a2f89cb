"""The map's container shows what the tables hold: while a game is played, and when all is over."""

import json
import time
import urllib.request
from typing import Any

from tests.conftest import Measure
from tests.system import engine
from tests.system.game import Game
from tests.system.outcome import Outcome, eventually
from tests.system.tables import Aws

SEEN_SECONDS = 60
PORT = 8080
FRESH_SECONDS = 180  # DynamoDB Local tells times by the minute


def ask(path: str) -> Any:
    """What the map answers; asked from this machine, by the port that it is published on."""
    with urllib.request.urlopen(f"http://{engine.address('game_map', PORT)}{path}", timeout=60) as answer:
        return json.load(answer)


def shown() -> dict[str, int]:
    """Players by level."""
    return {level["id"]: level["players"] for level in ask("/api/levels")["levels"]}


def held(aws: Aws) -> dict[str, int]:
    """The same, as LevelState has it."""
    return {level: row.players for level, row in aws.levels().items() if row.players}


def test_players_are_on_the_map_and_it_says_as_of_when(game: Game, aws: Aws, measure: Measure) -> None:
    """Of both games, and no player's id among them. What has arrived by now it soon says to have counted."""
    names = set(game.level_names)
    eventually(lambda: bool(names & shown().keys()), SEEN_SECONDS, lambda: f"shown: {shown()}, held: {held(aws)}")

    arrived = time.time() * 1000
    counted = eventually(
        lambda: (ask("/api/levels")["asOf"] or 0) > arrived,
        FRESH_SECONDS,
        lambda: f"the map is as of {ask('/api/levels')['lagSeconds']} s ago",
    )
    measure("the map: says of an event that it is counted after", counted)
    moves = ask("/api/transitions?minutes=60")["transitions"]
    assert names & {move.get("to") for move in moves}
    everything = json.dumps([ask("/api/levels"), moves])
    assert not [player for player in game.truth() if player in everything]


def test_at_the_end_the_map_is_what_levelstate_says(outcome: Outcome, aws: Aws) -> None:
    assert outcome.levels
    eventually(lambda: shown() == held(aws), SEEN_SECONDS, lambda: f"shown: {shown()}, held: {held(aws)}")
    told = ask("/api/levels")
    assert told["total"] == sum(level["players"] for level in told["levels"])
