"""The gate before the aggregator's daemon: shut while changes are lost to the counts (rule 7)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ConnectionClosedError
from prometheus_client import CollectorRegistry

from headcount.metrics import GapMetrics
from headcount.model import LevelEvent, Position, Progress, Transition
from headcount.tables import MalformedRowError
from headcount.tables.counts import Net
from level_aggregator.begin import UNDER_WAY
from level_aggregator.gap_watch import LOOK_SECONDS, LOOK_SHUT_SECONDS, NOT_YET, GapParts, GapWatch
from tests.fakes.clock import Clock
from tests.fakes.counts import MemoryCounts
from tests.fakes.players import MemoryPlayers
from tests.fakes.progress import MemoryProgress
from tests.fakes.table_stream import MemoryStreamClient, memory_stream

IDENTITY = "PlayerState@1"
WORKER = f"level_aggregator/{IDENTITY}/"
MARK = f"rebuild/{IDENTITY}"
LOST = "changes of PlayerState are lost to the counts: "
GAP = "headcount_aggregator_gap"


@dataclass
class _Leases:
    """The KCL's lease table: rows of shard and checkpoint, and a failure to come."""

    rows: dict[str, str] = field(default_factory=dict)
    failure: Exception | None = None

    def scan(self, **_: object) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        items = [
            {"leaseKey": {"S": key}, "leaseCounter": {"N": "1"}, "checkpoint": {"S": at}}
            for key, at in self.rows.items()
        ]
        return {"Items": items}


class _House:
    """A stream of one shard, tables, and the watch."""

    def __init__(self) -> None:
        self.clock = Clock(datetime(2026, 11, 24, 1, tzinfo=UTC).timestamp())
        self.stream = MemoryStreamClient()
        self.stream.begin("a")
        self.leases = _Leases()
        self.players, self.counts, self.progress = MemoryPlayers(), MemoryCounts(), MemoryProgress()
        self.watch = self.make_watch()

    def make_watch(self) -> GapWatch:
        self.registry = CollectorRegistry()
        parts = GapParts(
            IDENTITY,
            "headcount-level-aggregator",
            memory_stream(self.stream),
            cast("Any", self.leases),
            self.players,
            self.counts,
            self.progress,
            GapMetrics(self.registry),
            self.clock,
            self.clock,
            self.clock.sleep,
        )
        return GapWatch(parts)

    def counted(self, shard: str, position: int, *, ended: bool = False) -> None:
        """A row of the aggregator's."""
        self.progress.rows[f"{WORKER}{shard}"] = Progress(Position(position), ended=ended)

    def gap(self) -> float | None:
        return self.registry.get_sample_value(GAP)


@pytest.fixture
def house() -> _House:
    return _House()


def test_it_is_shut_until_the_first_look_and_open_for_a_new_system(house: _House) -> None:
    """The shards count as begun then: their parents need not be known later."""
    house.players.apply(LevelEvent("ana", "forest", 1))
    house.stream.put("a", "ana", None, "forest")
    assert house.watch.obstacle() == NOT_YET

    house.watch.turn()

    assert house.watch.obstacle() is None
    assert house.gap() == 0
    assert house.progress.rows[f"{WORKER}a"].position is None


def test_rows_from_before_the_stream_shut_it_and_a_rebuild_opens_it(house: _House) -> None:
    house.players.apply(LevelEvent("ana", "forest", 1))
    house.watch.turn()
    obstacle = house.watch.obstacle()
    assert obstacle is not None
    assert obstacle.startswith(f"{LOST}nothing of PlayerState's stream was counted yet")
    assert obstacle.endswith("Run: python -m headcount rebuild")
    assert house.gap() == 1

    house.counts.entered["forest"] = 1  # the rebuild's work
    house.watch.turn()
    assert house.watch.obstacle() == obstacle
    house.clock.now += 20 * LOOK_SHUT_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is None
    assert house.gap() == 0


def test_levels_and_progress_lost_but_transitions_kept_shut_it_until_a_rebuild(house: _House) -> None:
    """Counted again, the same moves would stand in Transitions twice, and no count would show it (I4)."""
    house.players.apply(LevelEvent("ana", "forest", 1))
    house.stream.put("a", "ana", None, "forest")
    house.counts.made[Transition(60, None, "forest")] = 1

    house.watch.turn()

    obstacle = house.watch.obstacle()
    assert obstacle is not None
    assert "Transitions remember more entries and exits of levels than LevelState does (1 more)" in obstacle
    assert obstacle.endswith("Run: python -m headcount rebuild")
    assert house.progress.rows == {}

    house.counts.entered["forest"] = 1  # the rebuild's work
    house.counted("a", 10**22 + 2)
    house.clock.now += 20 * LOOK_SHUT_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is None


def test_progress_lost_while_nobody_plays_is_found_by_the_time_of_the_transitions(house: _House) -> None:
    """Who came has left, so LevelState is right; counted again, ``entered`` and ``left`` would be twice as many."""
    house.stream.put("a", "ana", None, "forest")
    house.stream.put("a", "ana", "forest", None)
    minute = round(house.clock.now)
    for move in (Transition(minute, None, "forest"), Transition(minute + 300, "forest", None)):
        house.counts.made[move] = 1
    house.counts.entered["forest"] = house.counts.left["forest"] = 1

    house.watch.turn()

    assert "the progress was lost, and what is on the stream would be counted again" in str(house.watch.obstacle())

    # A rebuild found nothing on the stream any more, so no progress tells of it; what came later is new.
    house.progress.rows[MARK] = Progress(updated_at=minute * 1000 + 1, ended=True)
    house.clock.now += 20 * LOOK_SHUT_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is None


def test_another_process_that_begins_to_count_meanwhile_is_no_gap(house: _House) -> None:
    """Both start at once: this one reads LevelState after the other has counted the first player."""
    house.players.apply(LevelEvent("ana", "forest", 1))
    number = house.stream.put("a", "ana", None, "forest")
    net = Net()
    net.add(Transition(60, None, "forest"))
    done: list[bool] = []

    def count() -> None:
        if not done:
            done.append(True)
            house.counts.apply(net, house.progress, f"{WORKER}a", Progress(), Progress(Position(number)))

    house.stream.on_read = count
    house.watch.turn()
    assert done
    assert house.watch.obstacle() is None


@pytest.mark.parametrize("checkpoint", ["TRIM_HORIZON", "SHARD_END", "5"])
def test_a_checkpoint_that_was_counted_is_well(house: _House, checkpoint: str) -> None:
    house.counted("a", 10**22 + 1)
    house.leases.rows["a"] = checkpoint
    house.watch.turn()
    assert house.watch.obstacle() is None


def test_progress_that_is_gone_is_found_by_the_checkpoint(house: _House) -> None:
    house.leases.rows["a"] = "7"
    house.watch.turn()
    assert house.watch.obstacle() == (
        f"{LOST}the KCL's checkpoint of shard a is 7, what was counted ends at nothing. "
        "Run: python -m headcount rebuild"
    )


def test_what_was_trimmed_is_found_before_the_daemon_starts_and_when_it_fails(house: _House) -> None:
    first = house.stream.put("a", "ana", None, "forest")
    house.stream.put("a", "ana", "forest", "castle")
    house.counted("a", first)
    house.watch.turn()
    assert house.watch.obstacle() is None

    house.stream.trim("a", 2)
    house.clock.now += LOOK_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is None  # only who begins a shard asks for it
    house.watch.doubt()
    house.watch.turn()
    assert f"the stream no longer has what comes after {first} in shard a" in str(house.watch.obstacle())

    assert f"after {first}" in str(_turned(house.make_watch()))


def test_the_beginning_of_a_shard_never_begun_is_asked_for_once_the_stream_is_old(house: _House) -> None:
    """Down since before the shard's first record, for a little more than a day: it is listed, trimmed in part."""
    house.counted("a", 10**22 + 1)
    house.stream.roll("a", "b")
    house.counted("a", 10**22 + 2, ended=True)
    for number in range(2):
        house.stream.put("b", f"p{number}", None, "forest")
    house.stream.trim("b", 1)
    house.clock.now += 24 * 3600
    assert "at its beginning in shard b" in str(_turned(house.make_watch()))


def test_a_shard_that_vanished_shuts_it_while_it_runs(house: _House) -> None:
    house.counted("a", 10**22 + 1)
    house.watch.turn()
    assert house.watch.obstacle() is None
    house.stream.roll("a", "b")
    house.stream.drop("a")
    house.watch.turn()
    assert house.watch.obstacle() is None  # not due yet
    house.clock.now += LOOK_SECONDS
    house.watch.turn()
    assert "shard a is no longer on the stream and was not read to its end" in str(house.watch.obstacle())


def test_what_only_one_of_two_looks_sees_is_no_gap(house: _House) -> None:
    """The list of shards may be behind the tables."""
    house.counted("a", 10**22 + 1)
    house.counted("new", 10**22 + 2)
    slept = house.clock.sleep

    def sleep(seconds: float) -> None:
        if all(shard.shard_id != "new" for shard in house.stream.shards):
            house.stream.begin("new")
        slept(seconds)

    house.clock.sleep = sleep  # type: ignore[method-assign] # as the list catches up
    assert _turned(house.make_watch()) is None


def test_an_unfinished_rebuild_shuts_it(house: _House) -> None:
    house.counted("a", 10**22 + 1)
    house.progress.rows[MARK] = Progress(updated_at=1)
    house.watch.turn()
    assert house.watch.obstacle() == UNDER_WAY
    assert house.gap() == 1
    house.progress.rows[MARK] = Progress(updated_at=2, ended=True)
    house.clock.now += LOOK_SHUT_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is None


def test_a_rebuild_that_ends_is_noticed_at_once(house: _House) -> None:
    """However long the look at a first start takes, and so the pause after it."""
    house.players.apply(LevelEvent("ana", "forest", 1))
    house.watch.turn()
    assert house.watch.obstacle() is not None
    house.counts.entered["forest"] = 1
    house.clock.now += LOOK_SHUT_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is not None
    house.progress.rows[MARK] = Progress(updated_at=2, ended=True)
    house.clock.now += LOOK_SHUT_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is None


def test_an_aws_that_does_not_answer_leaves_it_as_it_is(house: _House) -> None:
    house.counted("a", 10**22 + 1)
    house.leases.failure = ConnectionClosedError(endpoint_url="memory")
    house.watch.turn()
    assert house.watch.obstacle() == NOT_YET
    house.leases.failure = None
    house.watch.turn()
    assert house.watch.obstacle() is None
    house.leases.failure = ConnectionClosedError(endpoint_url="memory")
    house.clock.now += LOOK_SECONDS
    house.watch.turn()
    assert house.watch.obstacle() is None


def _turned(watch: GapWatch) -> str | None:
    watch.turn()
    return watch.obstacle()


def test_a_failed_daemon_waits_until_a_look_went_through(house: _House) -> None:
    """What was lost meanwhile shows to no worker that has not counted before; found late, it would be counted over."""
    house.watch.turn()
    assert house.watch.obstacle() is None
    house.watch.doubt()
    assert house.watch.obstacle() == NOT_YET

    house.leases.failure = ConnectionClosedError(endpoint_url="http://dynamodb")
    house.watch.turn()
    assert house.watch.obstacle() == NOT_YET

    house.leases.failure = None
    house.watch.turn()
    assert house.watch.obstacle() is None


def test_a_doubt_that_comes_amid_a_look_asks_for_another(house: _House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look may have begun before what the doubt is about."""
    scan = house.leases.scan

    def doubting(**arguments: object) -> dict[str, Any]:
        house.watch.doubt()
        return scan(**arguments)

    monkeypatch.setattr(house.leases, "scan", doubting)
    house.watch.turn()
    assert house.watch.obstacle() == NOT_YET

    monkeypatch.setattr(house.leases, "scan", scan)
    house.watch.turn()
    assert house.watch.obstacle() is None


def test_a_row_that_nobody_of_ours_wrote_keeps_it_shut_and_is_named(
    house: _House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at again soon: who mends the row shall not wait for long."""
    read_all = house.progress.read_all

    def malformed(_prefix: str) -> dict[str, Progress]:
        raise MalformedRowError("A row of DynamoDB table StreamProgress is not as Headcount writes it")

    monkeypatch.setattr(house.progress, "read_all", malformed)
    assert house.watch.turn() == LOOK_SHUT_SECONDS
    assert str(house.watch.obstacle()).startswith("A row of DynamoDB table StreamProgress")

    monkeypatch.setattr(house.progress, "read_all", read_all)
    house.watch.turn()
    assert house.watch.obstacle() is None
