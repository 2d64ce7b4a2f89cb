"""A consumer that finds a long backlog on each of its shards works through it, in the memory that its daemon has."""

import time

from tests.conftest import Measure
from tests.integration.conftest import MakeSite
from tests.integration.events import level_event
from tests.integration.service import START_SECONDS
from tests.integration.waiting import eventually

SHARDS = 4
RECORDS = 12_000  # of each shard, of some 2.5 kB: more than the KCL's default fetch of 10,000
BATCH = 500
CATCH_UP_SECONDS = 90.0
READ = "headcount_batch_records_total"


def test_a_long_backlog_does_not_exhaust_the_daemon(make_site: MakeSite, measure: Measure) -> None:
    site = make_site("backlog", shards=SHARDS, HEADCOUNT_REFRESH_SECONDS="60", HEADCOUNT_FAILOVER_SECONDS="10")
    now = time.time_ns() // 1_000_000
    for shard in range(SHARDS):
        lines = [level_event(f"player-{shard}-{n % 20}", "forest", now - RECORDS + n) for n in range(RECORDS)]
        for start in range(0, RECORDS, BATCH):
            site.put(shard, *lines[start : start + BATCH])

    consumer = site.start("consumer")
    begun = time.monotonic()
    eventually(
        lambda: sum(value for (name, _), value in consumer.metrics().items() if name == READ) >= SHARDS * RECORDS,
        START_SECONDS + CATCH_UP_SECONDS,
        "the backlog to be read",
    )
    measure(f"a backlog of {SHARDS} x {RECORDS} records is read after", time.monotonic() - begun)

    assert consumer.metrics()["headcount_daemon_starts_total", ""] == 1
    assert consumer.drain() == 0
    assert site.tallies()["applied"] == SHARDS * RECORDS  # a lease that was lost meanwhile would make some stale
