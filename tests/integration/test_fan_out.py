"""The consumer with enhanced fan-out: Kinesis pushes, and everything that polling promises holds."""

import time
from collections import Counter

import pytest

from headcount.demo.ministack_server import RECORDS_A_PUSH
from headcount.model import PlayerRow
from tests.conftest import Measure
from tests.integration.conftest import MakeSite
from tests.integration.events import level_event, other_event
from tests.integration.service import Service
from tests.integration.sites import Site
from tests.integration.story import HOUR_MS, SECOND
from tests.integration.waiting import eventually

SHARDS = 2
PLAYERS, MOVES = 40, 5
WAIT_SECONDS = 60.0
IDLE_SECONDS = 20
BACKLOG, BATCH = 12_000, 500  # of each shard, of some 2.5 kB
PUSH_SECONDS = 0.25  # between two of MiniStack's pushes, and a bit: each brings one batch, not all there is
CATCH_UP_SECONDS = 90.0
BEGINS = round(time.time() * SECOND) - HOUR_MS
ON = {"HEADCOUNT_ENHANCED_FAN_OUT": "true"}


def counted(site: Site) -> dict[str, int]:
    """Players by level, those with any."""
    return {name: level.players for name, level in site.counts.levels().items() if level.players}


def play(site: Site, *, first: int = 0) -> dict[str, PlayerRow]:
    """Everybody moves about, on both shards; the rows that come of it."""
    rows: dict[str, PlayerRow] = {}
    for move in range(first, first + MOVES):
        for shard in range(SHARDS):
            at = BEGINS + move * SECOND
            names = [f"player-{number}" for number in range(shard, PLAYERS, SHARDS)]
            site.put(shard, *(level_event(name, f"level-{move % 3}", at) for name in names))
            rows |= dict.fromkeys(names, PlayerRow(f"level-{move % 3}", at))
    return rows


def is_registered(site: Site) -> bool:
    """Whether the KCL has made itself a consumer of the stream."""
    arn = site.kinesis.describe_stream_summary(StreamName=site.stream)["StreamDescriptionSummary"]["StreamARN"]
    names = [one["ConsumerName"] for one in site.kinesis.list_stream_consumers(StreamARN=arn)["Consumers"]]
    return names == [f"{site.application}-consumer"]


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """A game whose consumer has its events pushed."""
    return make_site("fan-out", shards=SHARDS, HEADCOUNT_IDLE_TIMEOUT_SECONDS=str(IDLE_SECONDS), **ON)


@pytest.fixture(scope="module")
def consumer(site: Site) -> Service:
    """It, with the level aggregator beside it."""
    site.start("level_aggregator")
    found = site.start("consumer")
    found.wait_for_workers(SHARDS)
    return found


def test_what_is_pushed_is_counted_exactly(site: Site, consumer: Service) -> None:
    rows = play(site)

    eventually(lambda: dict(site.players.all()) == rows, WAIT_SECONDS, "all rows")
    expected = dict(Counter(row.level for row in rows.values()))
    eventually(lambda: counted(site) == expected, WAIT_SECONDS, "all counts")
    assert is_registered(site)
    assert consumer.metrics()["headcount_daemon_starts_total", ""] == 1


def test_a_killed_daemon_is_replaced_and_nothing_is_lost(site: Site, consumer: Service) -> None:
    daemon = consumer.daemon()
    assert daemon is not None
    daemon.kill()
    rows = play(site, first=MOVES)

    eventually(lambda: dict(site.players.all()) == rows, WAIT_SECONDS, "all rows after the kill")
    expected = dict(Counter(row.level for row in rows.values()))
    eventually(lambda: counted(site) == expected, WAIT_SECONDS, "all counts after the kill")
    # What was written, and not yet tallied when the daemon was killed, is read again and ends as stale.
    eventually(lambda: site.tallies().total() >= 2 * PLAYERS * MOVES, WAIT_SECONDS, "all to be tallied")
    tallies = site.tallies()
    assert tallies["applied"] + tallies["stale"] == tallies.total() == 2 * PLAYERS * MOVES


@pytest.mark.usefixtures("consumer")
def test_a_silent_shard_does_not_hold_up_pruning(site: Site, measure: Measure) -> None:
    """Time goes on by the other one: the silent one's pushes, empty ones, confirm that it has nothing older."""
    pruner = site.start("pruner")
    later = max(row.at for row in dict(site.players.all()).values()) + 3 * IDLE_SECONDS * SECOND
    begun = time.monotonic()
    site.put(0, other_event(later))

    eventually(lambda: not dict(site.players.all()), WAIT_SECONDS, "everybody to have left")
    measure("with fan-out a silent shard is known to be so after", time.monotonic() - begun)
    eventually(lambda: not counted(site), WAIT_SECONDS, "the counts to follow")
    assert pruner.drain() == 0


def test_a_backlog_is_pushed_in_events_of_a_bearable_size(make_site: MakeSite) -> None:
    """MiniStack's own main pushes all there is in one event, more than the daemon's heap holds; AWS does not."""
    site = make_site("fan-out-sizes", shards=1)
    sizes = [RECORDS_A_PUSH, RECORDS_A_PUSH, 1]
    for many in sizes:
        site.put(0, *(other_event(BEGINS) for _ in range(many)))
    arn = site.kinesis.describe_stream_summary(StreamName=site.stream)["StreamDescriptionSummary"]["StreamARN"]
    consumer = site.kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]
    [shard] = site.kinesis.list_shards(StreamARN=arn)["Shards"]
    answer = site.kinesis.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"], ShardId=shard["ShardId"], StartingPosition={"Type": "TRIM_HORIZON"}
    )
    events = (event["SubscribeToShardEvent"] for event in answer["EventStream"])
    first = [next(events) for _ in range(3)]

    assert [len(event["Records"]) for event in first] == sizes
    assert len({record["SequenceNumber"] for event in first for record in event["Records"]}) == sum(sizes)
    for event in first:
        assert event["ContinuationSequenceNumber"] == event["Records"][-1]["SequenceNumber"]
    answer["EventStream"].close()


def test_it_drains(consumer: Service) -> None:
    assert consumer.drain() == 0


def test_what_is_pushed_to_workers_that_stand_still_does_not_exhaust_the_daemon(
    make_site: MakeSite, measure: Measure
) -> None:
    own = {"HEADCOUNT_REFRESH_SECONDS": "60", "HEADCOUNT_FAILOVER_SECONDS": "10"}
    site = make_site("fan-out-held-up", shards=SHARDS, **own, **ON)
    consumer = site.start("consumer")
    workers = consumer.wait_for_workers(SHARDS)
    for worker in workers:
        worker.suspend()
    now = time.time_ns() // 1_000_000 - BACKLOG  # none shall be clamped to its arrival: two at one time are one
    for start in range(0, BACKLOG, BATCH):
        numbers = range(start, start + BATCH)
        for shard in range(SHARDS):
            site.put(shard, *(level_event(f"player-{shard}-{n % 20}", "forest", now + n) for n in numbers))
        time.sleep(PUSH_SECONDS)
    for worker in workers:
        worker.resume()
    begun = time.monotonic()

    def read() -> float:
        samples = consumer.metrics().items()
        return sum(value for (name, _), value in samples if name == "headcount_batch_records_total")

    eventually(lambda: read() >= SHARDS * BACKLOG, CATCH_UP_SECONDS, "the backlog to be read")
    measure(f"a backlog of {SHARDS} x {BACKLOG} records that were pushed is read after", time.monotonic() - begun)
    assert consumer.metrics()["headcount_daemon_starts_total", ""] == 1
    assert consumer.drain() == 0
    assert site.tallies()["applied"] == SHARDS * BACKLOG  # a lease that was lost meanwhile would make some stale
