"""SIGSTOP of a whole service past the failover: another takes over, and what the stopped one then still writes is void.

The write is caught on its way to DynamoDB and delivered after the other has taken over: as late as a write can come.
"""

import signal
import time
from contextlib import suppress

import psutil
import pytest

from headcount.model import PlayerRow
from tests.fault import ills
from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.fault.game import IDLE_SECONDS, Game
from tests.fault.toxic import Toxic
from tests.integration.calls import Call
from tests.integration.sites import HASH_KEYS
from tests.integration.waiting import eventually

STOPPED = "stopped"  # the access key of the service that is to be stopped: how the proxy tells it from others
GHOST = "ghost"  # a player who is seen once, and whose write comes late; one on each shard, as nobody knows whose it is
HELD_SECONDS = 30.0
GONE_SECONDS = IDLE_SECONDS + 40
ZOMBIE_SECONDS = 5.0  # for which it runs on beside the one that took over


def held_write(call: Call, table: str) -> bool:
    """Whether the service that is to be stopped writes to the table; to PlayerState: of a ghost, who has no row yet."""
    writes = call.service == STOPPED and ills.writes(call) and table in str(call.body) and "Statements" not in call.body
    return writes and ("playerId" not in call.body.get("Key", {}) or player_of(call).startswith(GHOST))


def player_of(call: Call) -> str:
    """Whose row is written."""
    return str(call.body["Key"]["playerId"]["S"])


class Stopped:
    """A service stopped in the midst of a write, a second one beside it, and how long that took to take over."""

    def __init__(self, game: Game, toxic: Toxic, name: str, table: str) -> None:
        self._toxic = toxic
        self.victim = game.of(name)
        spare = game.start(name)
        spare.wait_until_ready()
        assert self.victim.workers()
        self.holding = toxic.ill = ills.Holding(toxic, lambda call: held_write(call, table))
        for shard in range(game.site.shards):
            game.send(f"{GHOST}-{shard}", "graveyard", shard * HASH_KEYS // game.site.shards)
        self.held = eventually(lambda: self.holding.held, HELD_SECONDS, f"a write of the {name}")
        begun = time.monotonic()
        for process in self.victim.family():
            process.send_signal(signal.SIGSTOP)
        game.counts_again()
        self.took = time.monotonic() - begun

    def go_on(self) -> None:
        """SIGCONT to all of it."""
        for process in self.victim.family():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        self._toxic.ill = None


def game_of(make_game: MakeGame, toxic: Toxic, name: str, seed: int) -> Game:
    """A game in which the service to be stopped has an access key of its own."""
    game = make_game(f"stopped-{seed}", seed=seed, proxy=toxic.endpoint_url)
    game.begin(**{name: {"AWS_ACCESS_KEY_ID": STOPPED}})
    return game


def test_a_stopped_aggregators_writes_are_rejected(make_game: MakeGame, toxic: Toxic, findings: Findings) -> None:
    """Rule 7: the transaction carries the progress that it read."""
    game = game_of(make_game, toxic, "level_aggregator", 31)
    stopped = Stopped(game, toxic, "level_aggregator", game.site.tables["LEVEL"])
    answer = stopped.holding.release()
    stopped.go_on()
    assert answer.status == 400
    assert b"ConditionalCheckFailed" in answer.body
    game.play(ZOMBIE_SECONDS)
    game.drain()
    game.check()
    findings.note("SIGSTOP of an aggregator past the failover, SIGCONT", "its transaction was rejected", stopped.took)
    assert stopped.took < MOST_SECONDS


@pytest.mark.parametrize("pruned", [False, True], ids=["its row is there", "its row was pruned"])
def test_a_stopped_consumers_writes_change_nothing(
    pruned: bool, make_game: MakeGame, toxic: Toxic, findings: Findings
) -> None:
    """A write that comes after the pruner's delete makes the row again, and the next pass deletes it again (rule 6)."""
    game = game_of(make_game, toxic, "consumer", 33 if pruned else 32)
    stopped = Stopped(game, toxic, "consumer", game.site.tables["PLAYER"])
    player = player_of(stopped.held)

    def row() -> PlayerRow | None:
        return game.site.players.get(player)

    eventually(row, HELD_SECONDS, "the other one to write the row")
    if pruned:
        eventually(lambda: row() is None, GONE_SECONDS, "the pruner to delete the row")
    answer = stopped.holding.release()
    stopped.go_on()
    assert answer.status == (200 if pruned else 400)
    game.play(ZOMBIE_SECONDS)
    if pruned:
        eventually(lambda: row() is None, GONE_SECONDS, "the pruner to delete the row again")
    game.drain()
    game.check()
    fault = "SIGSTOP of a consumer past the failover" + (" and its player's leaving" if pruned else "") + ", SIGCONT"
    happened = "its write made the row again, and it was pruned again" if pruned else "its write lost to the row"
    findings.note(fault, f"{happened}; nobody was late", stopped.took)
    assert stopped.took < MOST_SECONDS
