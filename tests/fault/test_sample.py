"""A minute of what `make faults` does at length: answers are lost, processes die, and every count is right."""

from tests.fault import ills
from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.fault.toxic import Toxic
from tests.integration.waiting import eventually

ILL_SECONDS = 4.0


def test_lost_answers_and_kills_change_no_count(make_game: MakeGame, toxic: Toxic, findings: Findings) -> None:
    """An aggregator whose transactions went through unheard is killed, and so is a consumer."""
    game = make_game("sample", seed=1, proxy=toxic.endpoint_url)
    game.begin()
    illness = toxic.ill = ills.Often(ills.lose, ills.writes, 0.3, seed=1)
    game.play(ILL_SECONDS)
    for name in ("level_aggregator", "consumer"):
        eventually(game.of(name).daemon, MOST_SECONDS, f"a daemon of {name}").kill()
    toxic.ill = None
    took = game.counts_again()
    assert illness.hit > 0
    game.drain()
    game.check()
    happened = f"{illness.hit} calls hit, then both daemons killed; every count right"
    findings.note("answers lost, and kill -9 meanwhile", happened, took)
    assert took < MOST_SECONDS
