"""Containers are killed, stopped and started while a game is played; what that cost shows in `test_exact.py`."""

import os
import time

import pytest

from tests.conftest import Measure
from tests.system import engine
from tests.system.game import Game
from tests.system.outcome import eventually
from tests.system.prometheus import Prometheus
from tests.system.tables import Aws

PLAYING_SECONDS = 60
COUNTS_AGAIN_SECONDS = (
    120  # a claim's or lease's expiry, a JVM's start, a refresh, all on an emulator that has one core
)
TERM_SECONDS = 30
REPLAYS, MOST_KILLS = 3, 10


def visible(aws: Aws, game: Game) -> None:
    """Wait until what was sent up to now is in PlayerState, or newer."""
    sent = game.truth()

    def arrived() -> bool:
        rows, (cutoff, _) = aws.players(), aws.cutoff()
        return all(rows.get(p, ("", 0))[1] >= at for p, (_, at) in sent.items() if at >= cutoff)

    eventually(arrived, COUNTS_AGAIN_SECONDS, lambda: "events are not in PlayerState")


@pytest.fixture
def playing(aws: Aws, game: Game) -> Game:
    """The game, once its first events have come through."""
    eventually(lambda: bool(game.truth()), PLAYING_SECONDS, lambda: "nobody plays")
    visible(aws, game)
    return game


def test_consumers_share_the_shards(aws: Aws, playing: Game) -> None:  # noqa: ARG001 (shards are shared once events flow)
    consumers, shards = engine.containers("consumer"), aws.shards()
    if expected := os.environ.get("SYSTEM_CONSUMERS"):
        assert len(consumers) == int(expected)
    if expected := os.environ.get("STREAM_SHARDS"):
        assert len(shards) == int(expected)
    owners = min(len(consumers), len(shards))

    def shared() -> bool:
        leases = aws.leases()
        return set(leases) == set(shards) and len(set(leases.values())) == owners

    eventually(shared, 120, lambda: f"{len(consumers)} consumers, leases: {aws.leases()}")


@pytest.mark.parametrize("service", [*engine.SERVICES, "prometheus"])
def test_a_killed_container_is_started_again_and_counts_go_on(
    service: str, aws: Aws, playing: Game, measure: Measure
) -> None:
    for container in engine.containers(service):
        begun = time.monotonic()
        engine.kill(container)
        engine.start(container)
        time.sleep(1)  # something is sent meanwhile
        visible(aws, playing)
        measure(f"docker kill of {service}: counts again after", time.monotonic() - begun)
        engine.await_healthy(service)


def test_changes_that_a_killed_aggregator_had_counted_are_not_counted_again(
    aws: Aws, playing: Game, prometheus: Prometheus
) -> None:
    """Rule 7: killed where its progress is beyond the KCL's checkpoint, it meets changes again, and skips them."""
    [container, *_] = engine.containers("level_aggregator")
    replays = 0
    for _ in range(MOST_KILLS):
        eventually(aws.counted_beyond_the_checkpoint, COUNTS_AGAIN_SECONDS, lambda: "all is checkpointed")
        engine.kill(container)
        # It may have made a checkpoint before it died; once it is up again, both are those of its new life.
        died_beyond = aws.counted_beyond_the_checkpoint()
        engine.start(container)
        engine.await_healthy("level_aggregator")
        visible(aws, playing)
        if died_beyond:
            eventually(
                lambda: prometheus.value('headcount_aggregator_changes_total{kind="replayed"}') > 0,
                COUNTS_AGAIN_SECONDS,
                lambda: "nothing was replayed",
            )
            replays += 1
        if replays == REPLAYS:
            return
    pytest.fail(f"in {MOST_KILLS} kills it died {replays} times beyond its checkpoint")


@pytest.mark.parametrize("service", engine.SERVICES)
def test_sigterm_under_load_ends_a_container_within_30_seconds(
    service: str, aws: Aws, playing: Game, measure: Measure
) -> None:
    for container in engine.containers(service):
        ended = engine.stop(container, TERM_SECONDS)
        measure(f"SIGTERM of {service}: ended after", ended.seconds)
        assert ended.exit_code == 0
        assert ended.seconds < TERM_SECONDS
        engine.start(container)
        visible(aws, playing)
        engine.await_healthy(service)
