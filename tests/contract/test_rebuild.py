"""The rebuild on real streams: right whatever breaks in, and nothing counted twice afterwards (rules 7 and 9)."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.kcl.lease_table import read_leases
from headcount.model import LevelCount
from headcount.rebuild import NotStillError
from headcount.settings import Settings
from headcount.tables.rebuild_mark import rebuild_worker
from level_aggregator.begin import GapError
from tests.contract.breaking import CrashError, breaking_in
from tests.contract.conftest import client_of
from tests.fakes.town import Town

WRITES = {"PutItem", "UpdateItem", "DeleteItem"}


@pytest.fixture(params=["dynamodb_local", "ministack"])
def town(request: pytest.FixtureRequest, clients: dict[str, DynamoDBClient], settings: Settings) -> Iterator[Town]:
    """Three players, counted."""
    town = Town(client_of(request.param, request, clients), settings)
    for player, level in (("ana", "forest"), ("ben", "forest"), ("cem", "castle")):
        town.move(player, level)
    town.aggregate()
    assert town.differences() == []
    yield town
    town.close()


def counted_once(town: Town) -> None:
    """New changes count exactly, though the stream is read from its beginning."""
    before = town.counts.levels()
    town.move("dan", "swamp", 2)
    town.move("ana", "castle", 3)
    town.aggregate()
    after = town.counts.levels()
    assert town.differences() == []
    assert after["swamp"].entered - before.get("swamp", LevelCount(0, 0, 0)).entered == 1
    assert after["castle"].entered - before["castle"].entered == 1
    assert after["forest"].left - before["forest"].left == 1


def test_a_right_system_is_left_alone(town: Town) -> None:
    rows, levels = town.rows(), town.counts.levels()
    town.lease(next(iter(rows)), "TRIM_HORIZON")

    rebuilt = town.rebuild().run()

    assert not rebuilt.changed
    assert rebuilt.players == 3
    assert (town.rows(), town.counts.levels()) == (rows, levels)
    assert len(read_leases(town.client, town.leases)) == 1
    counted_once(town)


def test_counts_that_are_wrong_are_set_right(town: Town) -> None:
    """Too many, too few, a level that nobody is in, one that LevelState does not know, broken counters."""
    for player, level in (("dan", "lake"), ("eve", "moor")):
        town.move(player, level)
    town.aggregate()
    town.spoil("forest", playerCount=7, entered=7, left=0)
    town.spoil("castle", playerCount=-1, entered=0, left=1)
    town.spoil("ruin", playerCount=4, entered=9, left=5)
    town.spoil("moor", playerCount=1, entered=5, left=1)
    town.client.delete_item(TableName=town.counts.levels_name, Key={"levelId": {"S": "lake"}})
    town.lease(next(iter(town.rows())), "1")

    would = town.rebuild().look()
    assert town.counts.levels()["forest"] == LevelCount(7, 7, 0)
    rebuilt = town.rebuild().run()

    assert rebuilt.corrections == would.corrections
    assert town.counts.levels() == {
        "forest": LevelCount(2, 7, 5),
        "castle": LevelCount(1, 2, 1),
        "ruin": LevelCount(0, 9, 9),
        "lake": LevelCount(1, 1, 0),
        "moor": LevelCount(1, 5, 4),
    }
    assert town.differences() == []
    assert read_leases(town.client, town.leases) == []
    assert not town.rebuild().run().changed
    counted_once(town)


def test_lost_progress_and_levels_are_made_anew(town: Town) -> None:
    """All but PlayerState and Transitions is gone: counters never fall below what transitions sum to (I4)."""
    town.forget_progress()
    for level in town.counts.levels():
        town.client.delete_item(TableName=town.counts.levels_name, Key={"levelId": {"S": level}})
    town.move("ben", "castle", 2)

    town.rebuild().run()

    assert town.counts.levels() == {"forest": LevelCount(1, 2, 1), "castle": LevelCount(2, 2, 0)}
    [row] = town.rows().values()
    assert row.position is not None
    counted_once(town)


def test_a_rebuild_cut_short_anywhere_is_finished_by_the_next(town: Town) -> None:
    """Before each write in turn. Meanwhile no aggregator counts; afterwards all is right."""
    for last in itertools.count():
        town.spoil("forest", playerCount=7, entered=9, left=0)
        town.spoil("ruin", playerCount=4, entered=9, left=5)
        town.forget_progress()
        for shard in ("a", "b"):
            town.lease(shard, "1")
        writes = itertools.count()

        def crash(model: Any, writes: Iterator[int] = writes, last: int = last, **_: object) -> None:
            if model.name in WRITES and next(writes) == last:
                raise CrashError

        try:
            with breaking_in(town.client, "before-call", crash):
                town.rebuild(f"crash-{last}").run()
        except CrashError:
            is_cut_short = True
        else:
            is_cut_short = False
        if is_cut_short and last > 0:
            with pytest.raises(GapError, match="under way or was cut short"):
                town.aggregate()
        if is_cut_short:
            assert town.rebuild(f"again-{last}").run().finishes == (last > 0)
        assert town.differences() == []
        assert read_leases(town.client, town.leases) == []
        town.aggregate()
        assert town.differences() == []
        if not is_cut_short:
            break
    assert last == 8  # mark, hold, a shard's progress, two levels, two leases, the mark again: 8 of them
    counted_once(town)


def test_a_change_after_the_count_is_noticed_and_it_is_counted_anew(town: Town) -> None:
    """As if the consumer still ran: between the count of PlayerState and the write of LevelState."""
    town.spoil("forest", playerCount=7, entered=7, left=0)
    scans = itertools.count()

    def write(model: Any, **_: object) -> None:
        if model.name == "Scan" and next(scans) == 1:  # PlayerState's, after StreamProgress'
            town.move("fay", "forest")

    with breaking_in(town.client, "after-call", write):
        town.rebuild().run()

    assert any("PlayerState was written meanwhile (1 records)" in line for line in town.said)
    assert town.counts.levels()["forest"].players == 3
    assert town.differences() == []
    counted_once(town)


def test_a_table_that_never_stands_still_is_given_up(town: Town) -> None:
    """It says whom to stop, and leaves all as it was: the aggregator may count on."""
    levels, numbers = town.counts.levels(), itertools.count()

    def write(model: Any, **_: object) -> None:
        if model.name == "Scan":
            town.move(f"p{next(numbers)}", "forest")

    with breaking_in(town.client, "after-call", write), pytest.raises(NotStillError, match="Stop consumer and pruner"):
        town.rebuild().run()

    assert town.counts.levels() == levels
    mark = town.progress.read(rebuild_worker(town.identity))
    assert mark is not None
    assert mark.ended
    town.aggregate()
    assert town.differences() == []


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_an_aggregator_that_counts_meanwhile_is_noticed(town: Town, moment: int) -> None:
    """One that had begun before the rebuild did: its transaction comes between two writes of the rebuild's."""
    town.spoil("forest", playerCount=7, entered=7, left=0)
    town.move("gus", "forest")
    parts_ready: list[Callable[[], None]] = []
    writes = itertools.count()

    def interfere(model: Any, **_: object) -> None:
        if model.name in WRITES and next(writes) == moment and parts_ready:
            parts_ready.pop()()

    def count_on() -> None:
        """As a worker that began long ago: something newer than the rebuild has seen."""
        town.move("hal", "castle", 9)
        [(shard, row)] = town.progress.read_all(f"level_aggregator/{town.identity}/").items()
        town.count_after(shard, row)

    parts_ready.append(count_on)
    with breaking_in(town.client, "before-call", interfere):
        town.rebuild().run()

    assert any("an aggregator counts" in line for line in town.said)
    assert town.differences() == []
    counted_once(town)


def test_another_rebuild_takes_over(town: Town) -> None:
    """Two at once: the one that began last ends, the other says so."""
    town.spoil("forest", playerCount=7, entered=7, left=0)
    begun: list[bool] = []

    def begin_another(model: Any, **_: object) -> None:
        if model.name == "Scan" and not begun:
            begun.append(True)
            town.rebuild("two").run()

    refused = pytest.raises(NotStillError, match="Another rebuild has begun")
    with breaking_in(town.client, "before-call", begin_another), refused:
        town.rebuild("one").run()
    assert town.differences() == []
    counted_once(town)
