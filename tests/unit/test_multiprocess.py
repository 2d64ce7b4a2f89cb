"""Metrics that real child processes write into files: of the dead the counters stay, exactly, in bounded space."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from headcount.kcl.children import Children
from headcount.multiprocess import FORGET_SECONDS, MULTIPROCESS_DIRECTORY, MetricFiles
from tests.fakes.clock import Clock
from tests.integration.waiting import patience

RECORDS = "headcount_consumer_records_total"
BLOCK = 1 << 16  # the least size of a file
LIVES = 200

# A child that counts a batch of the shard named by its argument, says so, and lives until its stdin is closed.
CHILD = """
import sys
from headcount.metrics import ConsumerMetrics
from headcount.process_metrics import ShardMetrics
shard = ShardMetrics()
shard.batches.labels(shard=sys.argv[1]).inc()
shard.last_batch.labels(shard=sys.argv[1]).set_to_current_time()
shard.behind.labels(shard=sys.argv[1]).set(7)
shard.batch_seconds.observe(0.3)
ConsumerMetrics().records.labels(outcome="applied").inc(5)
print("ready", flush=True)
sys.stdin.read()
"""

# Children that live one after the other, each a process of its own: they count to three.
NURSERY = """
import os, sys
from pathlib import Path
from headcount import multiprocess
from headcount.metrics import ConsumerMetrics
from headcount.process_metrics import ShardMetrics
for number in range(int(sys.argv[2])):
    if os.fork():
        os.wait()
        continue
    os.environ[multiprocess.MULTIPROCESS_DIRECTORY] = sys.argv[1]
    multiprocess.join(Path(sys.argv[1]))
    shard, consumer = ShardMetrics(), ConsumerMetrics()
    for _ in range(3):
        consumer.records.labels(outcome="applied").inc()
        shard.batches.labels(shard=f"shard-{number % 4}").inc()
        shard.batch_seconds.observe(0.3)
        shard.last_batch.labels(shard="a").set(1)
    os._exit(0)
"""

# A child that writes new and old values as fast as it can.
WRITER = """
from headcount.metrics import ConsumerMetrics
metrics = ConsumerMetrics()
print("ready", flush=True)
for number in range(10**9):
    metrics.records.labels(outcome="applied").inc()
    metrics.ignored.labels(reason=f"reason {number}").inc()
"""


def child(directory: Path, script: str, *arguments: str) -> subprocess.Popen[str]:
    directory.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {MULTIPROCESS_DIRECTORY: str(directory)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def samples(files: MetricFiles) -> dict[tuple[str, str], float]:
    """Values by name and the first label's value."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in files.collect()
        for sample in family.samples
    }


def test_a_dead_childs_gauges_vanish_and_its_counters_stay(tmp_path: Path) -> None:
    files = MetricFiles(tmp_path / "metrics")
    with child(tmp_path / "metrics", CHILD, "a") as first, child(tmp_path / "metrics", CHILD, "b") as second:
        before = samples(files)
        assert before["headcount_behind_latest_seconds", "a"] == 7
        assert files.bury() == 2

        first.kill()
        first.wait()

        assert files.bury() == 1
        after = samples(files)
        assert ("headcount_behind_latest_seconds", "a") not in after
        assert ("headcount_last_batch_timestamp_seconds", "a") not in after
        assert after["headcount_behind_latest_seconds", "b"] == 7
        assert after["headcount_batches_total", "a"] == 1
        assert after[RECORDS, "applied"] == 10
        assert after["headcount_batch_duration_seconds_bucket", "0.25"] == 0
        assert after["headcount_batch_duration_seconds_bucket", "0.5"] == 2
        second.communicate()


def test_a_killed_child_is_dead_though_nobody_buries_it(tmp_path: Path) -> None:
    """In a container whose first process the supervisor is, orphans keep their process ids."""
    files = MetricFiles(tmp_path / "metrics")
    with child(tmp_path / "metrics", CHILD, "a") as unburied:
        assert files.bury() == 1

        unburied.kill()
        os.waitid(os.P_PID, unburied.pid, os.WEXITED | os.WNOWAIT)
        os.kill(unburied.pid, 0)  # by its process id it is still there

        assert files.bury() == 0
        assert ("headcount_behind_latest_seconds", "a") not in samples(files)
        assert samples(files)["headcount_batches_total", "a"] == 1
        unburied.communicate()


def test_a_supervisor_sees_its_children(tmp_path: Path) -> None:
    children = Children(tmp_path / "metrics")
    children.look()
    assert (children.alive, children.last_batch, children.totals) == (0, {}, {})

    with child(tmp_path / "metrics", CHILD, "a") as one:
        children.look()

        assert children.alive == 1
        assert children.last_batch.keys() == {"a"}
        assert children.stuck(60) == []
        assert children.stuck(-1) == ["a"]
        assert children.totals[RECORDS, "applied"] == 5
        one.kill()
        children.wait_for_their_end(patience(10))

    assert (children.alive, children.stuck(-1)) == (0, [])
    assert children.totals[RECORDS, "applied"] == 5


def test_many_dead_children_take_no_more_space_than_a_few_and_every_scrape_is_exact(tmp_path: Path) -> None:
    files = MetricFiles(tmp_path)
    seen: list[float] = []
    over = threading.Event()

    def scrape() -> None:
        while not over.is_set():
            seen.append(samples(files).get((RECORDS, "applied"), 0))

    scraper = threading.Thread(target=scrape)
    scraper.start()
    most = 0
    ended = None
    with subprocess.Popen([sys.executable, "-c", NURSERY, str(tmp_path), str(LIVES)]) as nursery:
        while ended is None:
            ended = nursery.poll()
            alive = files.bury()  # once more after the last child's end
            most = max(most, sum(file.stat().st_size for file in tmp_path.glob("*_dead.db")))
    over.set()
    scraper.join()

    assert (ended, alive) == (0, 0)
    after = samples(files)
    assert after[RECORDS, "applied"] == 3 * LIVES
    assert [after["headcount_batches_total", f"shard-{number}"] for number in range(4)] == [3 * LIVES / 4] * 4
    assert after["headcount_batch_duration_seconds_count", ""] == 3 * LIVES
    assert seen == sorted(seen), "a scrape saw a value twice, or not at all"
    assert most == 2 * BLOCK
    assert sorted(file.name for file in tmp_path.iterdir()) == ["counter_dead.db", "histogram_dead.db"]


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.05])
def test_a_child_killed_amid_its_writes_loses_nothing_that_was_seen(tmp_path: Path, pause: float) -> None:
    files = MetricFiles(tmp_path / "metrics")
    with child(tmp_path / "metrics", WRITER) as writer:
        threading.Event().wait(pause)
        before = samples(files).get((RECORDS, "applied"), 0)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        last = samples(files)
        assert files.bury() == 0

        assert samples(files) == last
        assert last.get((RECORDS, "applied"), 0) >= before
        writer.communicate()


def entry(name: str, value: float) -> bytes:
    key = json.dumps([name, f"{name}_total", {}, "Help."]).encode()
    padded = key + b" " * (8 - (len(key) + 4) % 8)
    return struct.pack(f"i{len(padded)}sdd", len(key), padded, value, 0.0)


def used(content: bytes) -> bytes:
    return struct.pack("ii", 8 + len(content), 0) + content


@pytest.mark.parametrize(
    ("torn", "left"),
    [
        (b"", {}),
        (b"\0" * 3, {}),
        (b"\0" * BLOCK, {}),
        (used(entry("x", 4) + entry("y", 5))[:-20], {"x_total": 4}),
        (used(entry("x", 4) + struct.pack("i", 10**6)), {"x_total": 4}),
        (used(entry("x", 4) + entry("y", 5).replace(b"y_total", b"\xff_total")), {"x_total": 4}),
        (used(entry("x", 4) + entry("y", 5).replace(b'["y"', b' "y"')), {"x_total": 4}),
    ],
    ids=["empty", "no header", "zeros", "cut off", "too long a key", "no text", "no key"],
)
def test_half_a_file_fails_no_scrape_and_what_can_be_read_is_kept(
    tmp_path: Path, torn: bytes, left: dict[str, float]
) -> None:
    files = MetricFiles(tmp_path)
    (tmp_path / "counter_whole.db").write_bytes(used(entry("z", 1)).ljust(BLOCK, b"\0"))
    (tmp_path / "counter_torn.db").write_bytes(torn)

    assert samples(files)["z_total", ""] == 1
    assert files.bury() == 0
    assert samples(files) == {("z_total", ""): 1} | {(name, ""): value for name, value in left.items()}
    assert [file.name for file in tmp_path.iterdir()] == ["counter_dead.db"]


def written(shard: str) -> bytes:
    key = json.dumps(["x", "x_total", {"shard": shard}, "Help."]).encode()
    padded = key + b" " * (8 - (len(key) + 4) % 8)
    return used(struct.pack(f"i{len(padded)}sdd", len(key), padded, 1.0, 0.0)).ljust(BLOCK, b"\0")


def test_the_counters_of_a_shard_vanish_a_day_after_its_last_child(tmp_path: Path) -> None:
    """DynamoDB's shards last hours: their names would add up for weeks."""
    clock = Clock()
    files = MetricFiles(tmp_path / "metrics", clock)

    def dies(shard: str) -> None:
        (tmp_path / "metrics" / f"counter_{shard}.db").write_bytes(written(shard))
        files.bury()

    with child(tmp_path / "metrics", CHILD, "alive") as living:
        dies("old")
        dies("alive")
        clock.now += FORGET_SECONDS
        dies("new")
        assert {shard for name, shard in samples(files) if name == "x_total"} == {"old", "alive", "new"}
        clock.now += 1
        dies("newest")
        assert {shard for name, shard in samples(files) if name == "x_total"} == {"alive", "new", "newest"}
        living.communicate()


def test_without_space_to_fold_them_the_dead_count_where_they_are(tmp_path: Path) -> None:
    files = MetricFiles(tmp_path)
    (tmp_path / "counter_one.db").write_bytes(written("a"))
    (tmp_path / "counter_dead.new").mkdir()  # no file can be written there

    files.bury()
    assert samples(files) == {("x_total", "a"): 1}
    assert (tmp_path / "counter_one.db").exists()

    (tmp_path / "counter_dead.new").rmdir()
    files.bury()
    assert samples(files) == {("x_total", "a"): 1}
    assert not (tmp_path / "counter_one.db").exists()


def test_each_process_has_files_of_its_own(tmp_path: Path) -> None:
    """By an identity, not by a process id, which comes again."""
    directory = tmp_path / "metrics"
    with child(directory, CHILD, "a") as one:
        first = set(directory.glob("*.db"))
        assert first
        assert f"_{one.pid}.db" not in " ".join(map(str, first))
        one.communicate()
    with child(directory, CHILD, "a") as two:
        assert len(set(directory.glob("*.db")) - first) == len(first)
        two.communicate()
