"""Kill -9 of any process of any service, at random moments, fifty times in one run."""

import random
import time
from collections import defaultdict
from contextlib import suppress

import psutil
import pytest

from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.fault.game import Game
from tests.integration.waiting import eventually

KILLS = 50
SEED = 23
RATE = 40.0  # a long run on two cores
CALM_SECONDS = 2.0  # at most, from a recovery to the next kill
ENDED_SECONDS = 10.0


def victim(game: Game, what: str, rng: random.Random) -> psutil.Process:
    """One of the processes that are ``what``, as soon as there is one."""

    def found() -> list[psutil.Process]:
        return [process for part, process in game.family() if part == what]

    return rng.choice(eventually(found, MOST_SECONDS, what))


def killed_and_recovered(game: Game, what: str, process: psutil.Process) -> float:
    """Kill it; start its service again if that ends with it, as a platform would; the seconds until all counts."""
    service = next(service for service in game.cast if service.name == what.split(maxsplit=1)[0])
    killed_at, begun = time.time(), time.monotonic()
    with suppress(psutil.NoSuchProcess):
        process.kill()
    if what.endswith("supervisor"):
        eventually(lambda: service.exit_code() is not None, ENDED_SECONDS, f"the end of {service.name}")
        game.retire(service)
        game.start(service.name)
    game.counts_again()
    if service.name == "pruner":
        game.passes_again(killed_at)
    return time.monotonic() - begun


@pytest.mark.parametrize("worker_id", ["fixed", "random"])
def test_fifty_kills_change_no_count(worker_id: str, make_game: MakeGame, findings: Findings) -> None:
    """Every kind of process is hit, and each kill has its recovery measured."""
    rng = random.Random(SEED)
    settings = {"HEADCOUNT_WORKER_ID": "fault"} if worker_id == "fixed" else {}
    game = make_game(f"kills-{worker_id}", seed=SEED, rate=RATE, **settings)
    game.begin()
    recoveries: defaultdict[str, list[float]] = defaultdict(list)
    parts = sorted({what for what, _ in game.family()})
    kills = {"fixed": KILLS, "random": len(parts)}[worker_id]
    while (done := sum(map(len, recoveries.values()))) < kills:
        game.play(rng.uniform(0, CALM_SECONDS))
        # Each part in turn, in a random order: by chance alone a pruner would hardly ever be hit.
        if done % len(parts) == 0:
            order = rng.sample(parts, len(parts))
        what = order[done % len(parts)]
        recoveries[what].append(killed_and_recovered(game, what, victim(game, what, rng)))
    game.drain()
    game.check()
    doubts = f"; {game.in_doubt} times a worker id was in doubt and given up" if game.in_doubt else ""
    for what, seconds in sorted(recoveries.items()):
        told = f"{what}, {worker_id} worker id" if what != "pruner supervisor" else f"pruner, beside a {worker_id} id"
        findings.note(f"kill -9 of {told}", f"replaced; every count right{doubts}", *seconds)
    assert recoveries.keys() == set(parts)
    assert max(max(seconds) for seconds in recoveries.values()) < MOST_SECONDS
