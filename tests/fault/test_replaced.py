"""Services are stopped and replaced on purpose, under load: each drains, and hardly anything is read twice."""

import time

from headcount.demo.fleet import SERVICES
from headcount.kcl.properties import MOST_RECORDS_OF_A_TABLE, MOST_RECORDS_OF_KINESIS
from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.fault.game import Game

CALM_SECONDS = 2.0


def read_twice(game: Game) -> dict[str, int]:
    """After a drain: how many records each service was handed again, over all its lives."""
    received = game.log_sum("consumer", "batch", "records")
    return {
        "consumer": received - game.site.tallies().total(),
        "level_aggregator": game.log_sum("level_aggregator", "batch", "replayed"),
    }


def test_sigterm_under_load_drains(make_game: MakeGame, findings: Findings) -> None:
    """Each service in turn; what follows it finds all but one batch at most covered by checkpoints."""
    game = make_game("sigterm", seed=41)
    game.begin()
    seconds = {}
    for name in SERVICES:
        game.play(CALM_SECONDS)
        begun = time.monotonic()
        assert game.end(game.of(name)) == 0
        ended, ended_at = time.monotonic() - begun, time.time()
        game.start(name)
        took = game.counts_again() if name != "pruner" else game.passes_again(ended_at)
        seconds[name] = (ended, ended + took)
    game.drain()
    game.check()
    twice = read_twice(game)
    assert 0 <= twice["consumer"] <= MOST_RECORDS_OF_KINESIS
    assert 0 <= twice["level_aggregator"] <= MOST_RECORDS_OF_A_TABLE
    for name, (ended, recovered) in seconds.items():
        again = f"; {twice[name]} records read twice" if name in twice else ""
        findings.note(f"SIGTERM of {name} under load, and a start", f"exit 0 after {ended:.1f} s{again}", recovered)
    assert max(recovered for _, recovered in seconds.values()) < MOST_SECONDS


def test_a_rolling_replacement_changes_no_count(make_game: MakeGame, findings: Findings) -> None:
    """As a platform does it: the new one is started and ready before the old one is asked to stop."""
    game = make_game("rolling", seed=43)
    game.begin()
    seconds = {}
    for name in SERVICES:
        old = game.of(name)
        new = game.start(name)
        new.wait_until_ready()
        game.play(CALM_SECONDS)
        begun, begun_at = time.monotonic(), time.time()
        assert game.end(old) == 0
        if name == "pruner":
            game.passes_again(begun_at)
        else:
            game.counts_again()
        seconds[name] = time.monotonic() - begun
    game.drain()
    game.check()
    for name, took in seconds.items():
        findings.note(f"rolling replacement of {name} under load", "exit 0; the new one took over", took)
    assert max(seconds.values()) < MOST_SECONDS
