"""The benchmarks measure what they say: the standard load, and a worker through the real protocol."""

import subprocess
import sys
import time
from collections import Counter

import pytest

from benchmarks import load
from benchmarks.driver import batches
from benchmarks.places import STREAM, Size, worker
from benchmarks.quota import quota
from benchmarks.results import Findings, Sense, in_turn, ratios
from benchmarks.sections.aggregator import stream_records
from benchmarks.sections.map import delays
from benchmarks.sections.writes import Case, play
from headcount.model import LevelEvent
from headcount.snowplow import EventReader
from level_aggregator.stream_record import read_change

READER = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")
RECORDS, BATCH = 300, 100


def test_the_standard_load_is_as_the_report_says() -> None:
    moments = load.moments(load.STANDARD, 60)
    assert abs(len(moments) / 60 / load.STANDARD.events_per_second - 1) < 0.02
    levels = Counter(moment.level for moment in moments if moment.level is not None)
    assert 0.58 < levels.total() / len(moments) < 0.62
    assert 0.17 < levels[0] / levels.total() < 0.23, "the hot level"
    lines = [load.line(moment, number) for number, moment in enumerate(moments[:1000])]
    assert 1850 < sum(map(len, lines)) / len(lines) < 1950
    read = [READER.read(line) for line in lines]
    assert [isinstance(one, LevelEvent) for one in read] == [moment.level is not None for moment in moments[:1000]]
    assert moments == load.moments(load.STANDARD, 60)


def test_shards_share_the_load_and_stable_keys_keep_a_player_on_one() -> None:
    moments = load.moments(load.STANDARD, 5)
    shards = [list(load.on_shard(moments, shard, stable=True)) for shard in range(load.SHARDS)]
    assert sum(map(len, shards)) == len(moments)
    players = [{moment.player for moment in shard} for shard in shards]
    assert sum(map(len, players)) == len(set.union(*players))


def test_stream_records_are_read_as_changes_and_renewals() -> None:
    changes = [read_change(record.data) for record in stream_records(2000, renewals=True)]
    moves = sum(1 for one in changes if one.before and one.after and one.before.level != one.after.level)
    assert 0.15 < moves / len(changes) < 0.25


def test_a_worker_takes_records_through_the_protocol() -> None:
    records = load.records(load.moments(load.STANDARD, 1)[:RECORDS])
    with worker("benchmarks.instant", "consumer.worker", STREAM) as started:
        took = started.feed(batches(records, BATCH), len(records), drain=True)
        totals = started.totals()
    assert took.records == totals["headcount_batch_records_total"] == RECORDS
    assert totals["headcount_consumer_records_total"] == RECORDS
    assert totals["headcount_consumer_player_writes_total"] > 0
    assert took.cpu > 0
    assert took.memory > 1


def test_a_worker_counts_stream_records_that_are_of_today() -> None:
    records = stream_records(RECORDS, renewals=False)
    assert time.time() - 86_400 / 2 < min(record.arrived_at for record in records) / 1000
    assert max(record.arrived_at for record in records) / 1000 < time.time() + 1
    with worker("benchmarks.instant", "level_aggregator.worker", "PlayerState@1") as started:
        started.feed(batches(records, BATCH), len(records), drain=True)
        totals = started.totals()
    assert totals["headcount_aggregator_changes_total{transition}"] == RECORDS
    assert totals["headcount_aggregator_gaps_total"] == 0


def test_writes_count_failed_conditions_too() -> None:
    stable, random = (play(Case(60, 60.0, stable=stable), players=8) for stable in (True, False))
    assert stable.failed == 0
    assert random.failed > 0
    assert stable.per_event < random.per_event < 1


def test_a_client_that_was_told_once_of_two_changes_heard_of_both_then() -> None:
    sent = {1: 10.0, 2: 11.0, 3: 12.0, 4: 13.0}
    received = [[(1, 10.5), (3, 12.25), (4, 14.0)], [(2, 11.5), (3, 13.0)]]
    assert delays(received, sent, 2, 3) == [1.25, 0.25, 0.5, 1.0]
    with pytest.raises(AssertionError, match="never heard of probe 4"):
        delays(received, sent, 2, 4)


def test_a_quota_holds_a_process_to_its_share() -> None:
    burn = "import time; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    with quota(0.2) as limit:
        if not limit.holds:
            pytest.skip("no control group may be made here")
        used = float(subprocess.run(limit.command(sys.executable, "-c", burn), capture_output=True, check=True).stdout)
        assert used < 0.5, "of a second"
        assert limit.throttled()[1] > 0


def test_findings_say_whether_a_target_is_met() -> None:
    found = Findings("title", "method")
    found.target("fast", Sense.LEAST, 10, 11, "x")
    found.target("small", Sense.MOST, 10, 11, "MB")
    assert [target.met for target in found.targets] == [True, False]
    calls: list[float] = []

    def way(value: float) -> float:
        calls.append(value)
        return value

    assert in_turn(2, lambda: way(1.0), lambda: way(2.0)) == [[1.0, 1.0], [2.0, 2.0]]
    assert calls == [1.0, 2.0, 1.0, 2.0]
    assert ratios([1.0, 4.0], [2.0, 2.0]) == [0.5, 2.0]
    assert Size(share=0.1).of(1000) == 100
