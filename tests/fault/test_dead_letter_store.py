"""The dead-letter store is down: the consumer stops and says so, and goes on once it is up; no record is skipped."""

from tests.fault import ills
from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.fault.toxic import Toxic
from tests.integration.calls import Call
from tests.integration.waiting import eventually

STOPPED_SECONDS = 60.0
FAILED = "record processor failed: ends without a checkpoint"


def test_without_its_dead_letter_store_a_consumer_stops(make_game: MakeGame, toxic: Toxic, findings: Findings) -> None:
    """Writes to it are refused: a policy that was changed, a key that was disabled. One try is enough to know."""
    game = make_game("letters", seed=51, proxy=toxic.endpoint_url)
    game.begin()
    table = game.site.tables["DEAD_LETTER"]

    def of_the_store(call: Call) -> bool:
        return call.body.get("TableName") == table and ills.writes(call)

    down = toxic.ill = ills.Often(ills.deny, of_the_store, 1.0, seed=51)
    consumer = game.of("consumer")
    eventually(lambda: consumer.log_lines("daemon ended"), STOPPED_SECONDS, "the consumer to stop, and to say so")
    letters = len(game.site.dead_letters())
    eventually(lambda: len(consumer.log_lines("daemon ended")) > 1, STOPPED_SECONDS, "it to try again, and to stop")
    assert len(game.site.dead_letters()) == letters
    assert all("AccessDeniedException" in line["exception"] for line in consumer.log_lines(FAILED))
    assert consumer.exit_code() is None
    toxic.ill = None
    took = game.counts_again()
    assert down.hit > 1
    game.drain()
    game.check()
    happened = f"stopped, said so, tried again; all {game.truth.poison.total()} letters there, none twice"
    findings.note("dead-letter store refuses all writes", happened, took)
    assert took < MOST_SECONDS
