"""Shards are split and merged under load: parents before children, nothing lost, and pruning goes on.

On kinesis-local: MiniStack drops a parent's unread records on a split.
"""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.fault.game import Game
from tests.fault.kinesis_local import NOT_TESTED, KinesisLocal, install, is_to_be_had
from tests.integration.sites import HASH_KEYS, shard_id
from tests.integration.waiting import eventually

RATE = 15.0
CALM_SECONDS = 5.0
ACTIVE_SECONDS = 20.0
CUTOFF_SECONDS = 60.0


@pytest.fixture(scope="module")
def kinesis_url() -> Iterator[str]:
    """A Kinesis that can be resharded."""
    if not is_to_be_had():
        pytest.skip(NOT_TESTED)
    install()
    with KinesisLocal() as server:
        yield server.endpoint_url


def when(game: Game, event: str) -> dict[str, datetime]:
    """When each shard first had this said of it by a consumer's worker."""
    found: dict[str, datetime] = {}
    for service in [*game.past, *game.cast]:
        for line in service.log_lines(event):
            if service.name == "consumer":
                found.setdefault(line["shard"], datetime.fromisoformat(line["timestamp"]))
    return found


def resharded(game: Game) -> float:
    """Wait until the stream is active again, all shards count, and the cutoff rises; the seconds until they count."""
    kinesis, stream = game.site.kinesis, game.site.stream
    begun = time.monotonic()

    def active() -> bool:
        summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
        return bool(summary["StreamStatus"] == "ACTIVE")

    eventually(active, ACTIVE_SECONDS, "the stream to be active")
    game.counts_again()
    took = time.monotonic() - begun
    cutoff = game.site.progress.cutoff().cutoff or 0
    eventually(lambda: (game.site.progress.cutoff().cutoff or 0) > cutoff, CUTOFF_SECONDS, "pruning to go on")
    return took


def test_a_split_and_a_merge_lose_nothing(make_game: MakeGame, findings: Findings) -> None:
    """Shard 0 of two is split, and its second half merged with shard 1."""
    game = make_game("resharding", seed=71, rate=RATE)
    game.begin()
    game.play(CALM_SECONDS)
    kinesis, stream = game.site.kinesis, game.site.stream
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard_id(0), NewStartingHashKey=str(HASH_KEYS // 4))
    split = resharded(game)
    game.play(CALM_SECONDS)
    kinesis.merge_shards(StreamName=stream, ShardToMerge=shard_id(3), AdjacentShardToMerge=shard_id(1))
    merged = resharded(game)
    game.play(CALM_SECONDS)
    game.drain()
    game.check()
    begun, ended = when(game, "shard begun"), when(game, "shard ended")
    for child, parents in {2: [0], 3: [0], 4: [3, 1]}.items():
        for parent in parents:
            assert ended[shard_id(parent)] < begun[shard_id(child)]
    for fault, took in {"a shard is split": split, "two shards are merged": merged}.items():
        findings.note(f"{fault} under load", "parents read to their end before children; pruning went on", took)
    assert max(split, merged) < MOST_SECONDS
