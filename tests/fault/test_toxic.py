"""DynamoDB, or the way to it, is ill for a while under load; then it is well again, and everything was counted once."""

from dataclasses import dataclass

import pytest

from tests.fault import ills
from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.fault.toxic import Toxic

ILL_SECONDS = 10.0


@dataclass(frozen=True)
class Case:
    """An illness: what happens, to which calls, to what share of them."""

    told: str
    effect: ills.Effect
    which: ills.Which
    share: float
    failover: float = 2.0


CASES = {
    "lost": Case("answers lost after the commit, 20 % of the writes", ills.lose, ills.writes, 0.2),
    "reset": Case("connections reset, 20 % of all calls", ills.reset, ills.every, 0.2),
    "errors": Case("500s, 30 % of all calls", ills.fail, ills.every, 0.3),
    "throttled": Case("half of the writes throttled", ills.throttle, ills.writes, 0.5),
    "slow": Case("2 s of latency on every call", ills.slow_down, ills.every, 1.0, failover=10.0),
}


@pytest.mark.parametrize("name", CASES)
def test_an_illness_of_dynamodb_changes_no_count(
    name: str, make_game: MakeGame, toxic: Toxic, findings: Findings
) -> None:
    """Services' and daemons' calls are hit alike; the streams' reads are not."""
    case = CASES[name]
    settings = {"HEADCOUNT_FAILOVER_SECONDS": f"{case.failover:g}"}
    game = make_game(f"toxic-{name}", seed=11, proxy=toxic.endpoint_url, **settings)
    game.begin()
    illness = toxic.ill = ills.Often(case.effect, case.which, case.share, seed=11)
    game.play(ILL_SECONDS)
    toxic.ill = None
    took = game.counts_again()
    assert illness.hit > 0
    game.drain()
    game.check()
    happened = f"{illness.hit} calls hit in {ILL_SECONDS:.0f} s; every count right"
    findings.note(f"DynamoDB: {case.told}", happened, took, settings=f"failover {case.failover:g} s")
    assert took < MOST_SECONDS
