"""Too much poison stops a shard before it is buried, at the same record however often it is replayed. Rule 4."""

from dataclasses import replace
from random import Random

import pytest
from prometheus_client import CollectorRegistry

from consumer.poison_limit import LEAST_RECORDS, Broken, PoisonLimit, PoisonLimitError, counted
from consumer.poison_watch import PoisonWatch
from headcount.metrics import ConsumerMetrics
from headcount.model import PoisonCount, Progress, Record
from headcount.rules import MINUTE_MS
from tests.fakes.lines import NOON, other_line, record
from tests.fakes.wiring import STREAM, House

WORKER = f"consumer/{STREAM}/shard-1"
BAD = b"no event"
GOOD = other_line(NOON)


def records(kinds: str, *, first: int = 1, minute: int = 0) -> list[Record]:
    """``x``: poison, ``.``: none."""
    arrived = NOON + minute * MINUTE_MS
    return [record(first + n, BAD if kind == "x" else GOOD, arrived) for n, kind in enumerate(kinds)]


def house_with(limit: PoisonLimit, registry: CollectorRegistry | None = None) -> House:
    house = House(metrics=ConsumerMetrics(registry))
    house.consumer_parts = replace(house.consumer_parts, poison_limit=limit)
    return house


def deliver(house: House, sent: list[Record], batch: int, *, begin_after: int = 0) -> bool:
    """One life of a worker, in batches, from a checkpoint on; whether it came to the end."""
    handler = house.consumer("shard-1")
    handler.start(None)
    rest = [one for one in sent if one.position.sequence > begin_after]
    try:
        for at in range(0, len(rest), batch):
            handler.handle(rest[at : at + batch], caught_up=False)
            house.clock.now += 60
            handler.settle(everything=False)
    except PoisonLimitError:
        return False
    return True


def count_of(kinds: str) -> PoisonCount:
    count = PoisonCount()
    for one in records(kinds):
        count = counted(count, one.arrived_at, is_poison=one.data == BAD)
    return count


@pytest.mark.parametrize(
    ("kinds", "broken"),
    [
        ("x" * 5, None),
        ("x" * 6, Broken.RUN),
        ("x" * 5 + "." + "x" * 5, None),
        ("." * 40 + "x" * 6, Broken.RUN),
        ("xx." * 33, None),  # 99 records of the minute
        ("xx." * 33 + ".", Broken.PERCENT),
        ("x." * 200, None),  # half is not more than half
        ("x." * 200 + "x", Broken.PERCENT),
    ],
)
def test_a_run_and_a_share_of_a_minute_break_the_limits(kinds: str, broken: Broken | None) -> None:
    assert PoisonLimit(run=5, percent=50).broken(count_of(kinds)) is broken


@pytest.mark.parametrize("limit", [PoisonLimit(), PoisonLimit(0, 0), PoisonLimit(0, 100)])
def test_limits_can_be_turned_off(limit: PoisonLimit) -> None:
    assert limit.broken(count_of("x" * 500)) is None


def test_a_minute_is_one_of_arrival_and_begins_anew() -> None:
    count = None
    for minute in (0, 0, 1, 0):  # a record that arrived earlier does not bring the old minute back
        count = counted(count, NOON + minute * MINUTE_MS, is_poison=True)

    assert count == PoisonCount(run=4, minute=NOON // MINUTE_MS + 1, records=2, poison=2)


def test_no_letter_of_the_batch_that_breaks_the_limit_is_written() -> None:
    registry = CollectorRegistry()
    house = house_with(PoisonLimit(run=5), registry)
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle(records("xxx"), caught_up=False)

    with pytest.raises(PoisonLimitError, match=r"At record 6 more than 5 records in a row can't be read.*POISON_RUN"):
        handler.handle(records("xxxxxx.", first=4), caught_up=False)

    assert len(house.letters.letters) == 3
    stops = {"shard": "shard-1", "limit": "run"}
    assert registry.get_sample_value("headcount_consumer_poison_stops_total", stops) == 1


def test_what_the_error_says_names_the_share_and_its_setting_and_quotes_nothing() -> None:
    house = house_with(PoisonLimit(percent=20))
    handler = house.consumer("shard-1")
    handler.start(None)
    with pytest.raises(PoisonLimitError) as caught:
        handler.handle(records("x" * LEAST_RECORDS), caught_up=False)

    assert "more than 20 % of a minute's records can't be read" in str(caught.value)
    assert "raise HEADCOUNT_POISON_PERCENT_LIMIT" in str(caught.value)
    assert "The last one is column_count: 1 columns instead of 131." in str(caught.value)
    assert BAD.decode() not in str(caught.value)


@pytest.mark.parametrize("seed", range(20))
def test_a_crash_loop_buries_no_more_than_the_limit(seed: int) -> None:
    """Each life begins at another old checkpoint and gets its batches cut in another way."""
    random = Random(seed)
    house = house_with(PoisonLimit(run=30, percent=50))
    sent = records("." * 20 + "x" * 50 + "." * 20)
    for _ in range(12):
        stands = house.progress.rows.get(WORKER, Progress()).position
        begin_after = random.randint(0, stands.sequence if stands else 0)
        assert not deliver(house, sent, random.randint(1, 25), begin_after=begin_after)
        assert len(house.letters.letters) <= 30
        assert house.progress.rows.get(WORKER, Progress()).tallies.get("dead_lettered", 0) <= 30

    house.consumer_parts = replace(house.consumer_parts, poison_limit=PoisonLimit(run=50, percent=60))
    assert deliver(house, sent, 7)
    assert house.progress.rows[WORKER].tallies == {"ignored": 40, "dead_lettered": 50}
    assert len(house.letters.letters) == 50


@pytest.mark.parametrize("seed", range(20))
def test_the_count_in_the_progress_is_that_of_the_records_up_to_it(seed: int) -> None:
    """Whatever is redelivered, and even if two workers have the shard."""
    random = Random(seed)
    kinds = "".join(random.choices("x..", k=150))
    sent = [one for minute in range(3) for one in records(kinds[minute::3], first=1 + minute * 50, minute=minute)]
    house = house_with(PoisonLimit())
    workers = [house.consumer("shard-1"), house.consumer("shard-1")]
    for worker in workers:
        worker.start(None)
    at = [0, 0]
    while min(at) < len(sent):
        which = random.randrange(2)
        batch = sent[at[which] : at[which] + random.randint(1, 20)]
        at[which] += len(batch)
        workers[which].handle(batch, caught_up=False)
        house.clock.now += 60
        workers[which].settle(everything=False)
        row = house.progress.rows[WORKER]
        expected = None
        for one in sent:
            if row.position is not None and one.position <= row.position:
                expected = counted(expected, one.arrived_at, is_poison=one.data == BAD)
        assert row.poison == expected


def test_readiness_tells_which_shard_is_stopped_until_it_goes_on() -> None:
    watch = PoisonWatch(PoisonLimit(run=7, percent=50))
    assert watch.observe({}, {"a": 3}) == []

    [problem] = watch.observe({("a", "run"): 1}, {"a": 3, "b": 1})
    assert problem.startswith("a is stopped: more than 7 records in a row can't be read.")
    assert "raise HEADCOUNT_POISON_RUN_LIMIT" in problem
    assert watch.observe({("a", "run"): 1}, {"a": 3, "b": 9}) == [problem]
    assert watch.observe({("a", "run"): 1}, {"a": 4, "b": 9}) == []

    [again, other] = watch.observe({("a", "percent"): 1, ("a", "run"): 1, ("b", "run"): 1}, {"a": 4, "b": 9})
    assert again.startswith("a is stopped: more than 50 % of a minute's records")
    assert other.startswith("b is stopped: more than 7 records")


@pytest.mark.parametrize("buried", [80, 90])
def test_code_that_can_read_the_records_goes_on_in_the_same_minute(buried: int) -> None:
    """However many of the minute's records the code before it could not read."""
    house = house_with(PoisonLimit(run=100, percent=50))
    assert deliver(house, records("x" * buried), batch=10)

    assert deliver(house, records("." * 300, first=buried + 1), batch=10)


def test_limits_that_were_turned_off_may_be_set_again_in_the_same_minute() -> None:
    house = house_with(PoisonLimit())
    assert deliver(house, records("x" * 299), batch=10)

    house.consumer_parts = replace(house.consumer_parts, poison_limit=PoisonLimit(run=100, percent=50))
    assert deliver(house, records("." * 10, first=300), batch=5)
    assert not deliver(house, records("x", first=310), batch=5)
