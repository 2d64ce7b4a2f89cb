"""Consumers share a stream's shards; whichever goes, and however, nothing is lost and nothing counted twice."""

import time
from collections.abc import Iterator

import boto3
import psutil
import pytest
from botocore.config import Config

from headcount.demo.traffic import Traffic
from headcount.demo.truth import Truth
from headcount.demo.world import World
from tests.conftest import Measure
from tests.integration.conftest import MakeSite
from tests.integration.service import Service
from tests.integration.sites import Site
from tests.integration.waiting import eventually

SHARDS = 4
RATE = 40.0
LONG = 3600.0
BALANCE_SECONDS = 60.0


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Four shards, random worker ids."""
    return make_site("two-workers", shards=SHARDS)


@pytest.fixture
def truth() -> Truth:
    """What the traffic says."""
    return Truth()


@pytest.fixture
def traffic(site: Site, truth: Truth) -> Iterator[Traffic]:
    """Players at play, their events spread over the shards at random."""
    client = boto3.client(
        "kinesis",
        endpoint_url=site.environment["AWS_ENDPOINT_URL"],
        region_name=site.environment["AWS_REGION"],
        aws_access_key_id=site.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=site.environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, retries={"total_max_attempts": 1}),  # its own tries would hide lost answers
    )
    traffic = Traffic(client, site.stream, World(50, 6, seed=7), truth, rate=RATE, seconds=LONG)
    traffic.start()
    yield traffic
    traffic.stop()
    client.close()


def share(consumers: list[Service]) -> None:
    """Wait until every shard has one worker and every consumer has some."""

    def shared() -> bool:
        counts = [len(consumer.workers()) for consumer in consumers]
        return sum(counts) == SHARDS and all(counts)

    eventually(shared, BALANCE_SECONDS, f"{SHARDS} shards to be shared by {len(consumers)}")


def caught_up(site: Site, truth: Truth) -> None:
    """Wait until all that was sent up to now has its outcome."""
    sent = truth.total
    eventually(lambda: site.tallies().total() >= sent, BALANCE_SECONDS, f"{sent} outcomes")


def test_consumers_come_and_go_and_all_stays_exact(
    site: Site, truth: Truth, traffic: Traffic, measure: Measure
) -> None:
    """One is asked to stop, another joins, one is killed."""
    first, second = site.start("consumer"), site.start("consumer")
    share([first, second])
    caught_up(site, truth)

    begun = time.monotonic()
    assert first.drain() == 0
    third = site.start("consumer")
    share([second, third])
    caught_up(site, truth)
    measure("two consumers: SIGTERM of one, another joins, all read and caught up after", time.monotonic() - begun)

    begun = time.monotonic()
    psutil.Process(second.supervisor.pid).kill()
    share([third])
    caught_up(site, truth)
    measure("two consumers: kill -9 of one, the other reads all and has caught up after", time.monotonic() - begun)

    traffic.stop()
    caught_up(site, truth)
    assert third.drain() == 0
    rows = {player: (row.level, row.at) for player, row in site.players.all()}
    assert rows == truth.expected_players()
    tallies, resent = site.tallies(), traffic.counters.resent
    assert truth.total <= tallies.total() <= truth.total + resent
    assert tallies["dead_lettered"] == tallies["late"] == 0
