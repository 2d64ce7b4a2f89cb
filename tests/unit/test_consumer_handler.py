"""What the consumer makes of a batch beyond single rules: late, clamped, quiet, full."""

import pytest
from prometheus_client import CollectorRegistry

from consumer import handler as module
from headcount.metrics import ConsumerMetrics
from headcount.model import PlayerRow, Position, Progress, Record
from headcount.quiet import BATCHES_ON_THEIR_WAY
from headcount.rules import CLOCK_SKEW_MS
from tests.fakes.lines import NOON, event_line, other_line, record
from tests.fakes.wiring import STREAM, House

WORKER = f"consumer/{STREAM}/shard-1"


def seen(sequence: int, level: str, seconds: int, player: str = "ann") -> Record:
    at = NOON + seconds * 1000
    return record(sequence, event_line(player, level, at), at)


def test_a_late_event_is_counted_and_not_written() -> None:
    house = House()
    house.progress.publish(stream_time=None, cutoff=NOON + 1, held_back="", updated_at=0)
    handler = house.consumer("shard-1")
    handler.start(None)

    assert handler.handle([seen(1, "A", 0), seen(2, "A", 1, "bob")], caught_up=True) == {
        "late": 1,
        "events": 1,
        "changes_written": 1,
    }
    handler.settle(everything=True)

    assert house.players.rows.keys() == {"bob"}
    assert house.progress.rows[WORKER].tallies == {"late": 1, "applied": 1}


def test_a_late_event_still_moves_the_watermark() -> None:
    house = House()
    house.progress.publish(stream_time=None, cutoff=NOON + 1, held_back="", updated_at=0)
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle([seen(1, "A", 0), record(2, other_line(NOON - 5))], caught_up=True)
    handler.settle(everything=False)

    assert house.progress.rows[WORKER].watermark == NOON


def test_an_event_from_the_future_is_clamped_to_its_arrival() -> None:
    house = House()
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle([record(1, event_line("ann", "A", NOON + 10**9), NOON)], caught_up=True)
    handler.settle(everything=True)

    assert house.players.rows["ann"] == PlayerRow("A", NOON + CLOCK_SKEW_MS)
    assert house.progress.rows[WORKER].watermark == NOON + CLOCK_SKEW_MS


def test_settled_goes_ahead_of_the_watermark_while_a_renewal_waits() -> None:
    house = House()
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle([seen(1, "A", 0), seen(2, "A", 9), record(3, other_line(NOON + 10_000))], caught_up=True)
    place = handler.settle(everything=False)

    row = house.progress.rows[WORKER]
    assert (row.watermark, row.position) == (NOON, Position(1))
    assert place is not None
    assert place.position == Position(1)
    assert row.settled == NOON + 9_000  # the third arrived at noon, so it was clamped to less


def elsewhere_time_goes_on(house: House) -> None:
    house.progress.publish(stream_time=NOON + 99_000, cutoff=None, held_back="", updated_at=0)


def quiet_batches(house: House, handler: module.ConsumerHandler) -> Progress:
    for _ in range(BATCHES_ON_THEIR_WAY + 2):
        handler.handle([], caught_up=True)
        handler.settle(everything=False)
        house.clock.now += 5
    return house.progress.rows[WORKER]


def test_a_silent_shard_moves_to_the_time_that_other_shards_deliver() -> None:
    house = House()
    elsewhere_time_goes_on(house)
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle([seen(1, "A", 0)], caught_up=True)
    begun = house.clock.now

    row = quiet_batches(house, handler)

    assert row.watermark == NOON + 99_000
    assert row.caught_up_at == begun * 1000  # noted before the empty read began


def test_a_silent_shard_does_not_move_while_a_renewal_waits() -> None:
    house = House()
    elsewhere_time_goes_on(house)
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle([seen(1, "A", 0), seen(2, "A", 1)], caught_up=True)

    row = quiet_batches(house, handler)
    assert (row.watermark, row.caught_up_at) == (NOON, None)
    assert row.seen_at is not None  # no change waits

    handler.settle(everything=True)
    assert house.progress.rows[WORKER].watermark == NOON + 99_000


def test_a_new_shard_begins_with_its_parents_least_watermark() -> None:
    house = House()
    object.__setattr__(house.consumer_parts, "first_watermark", lambda _: NOON - 7)
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle([], caught_up=True)
    handler.settle(everything=False)

    assert house.progress.rows[WORKER].watermark == NOON - 7


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 10 records that wait are too many, until 6 are left."""
    monkeypatch.setattr(module, "MOST_UNSETTLED", 10)
    monkeypatch.setattr(module, "LEFT_UNSETTLED", 6)


@pytest.mark.usefixtures("few")
def test_renewals_are_written_early_when_too_many_records_wait() -> None:
    house = House()
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.handle([seen(n, "A", n) for n in range(1, 13)], caught_up=False)
    assert house.players.rows["ann"].at == NOON + 1000

    handler.handle([], caught_up=False)

    assert house.players.rows["ann"].at == NOON + 12_000


@pytest.mark.usefixtures("few")
def test_the_oldest_renewals_alone_are_written_early() -> None:
    """Else everybody's are written at once, again and again, where a refresh brings more records than may wait."""
    house = House()
    handler = house.consumer("shard-1")
    handler.start(None)
    sequence = 0
    for second in range(1, 7):
        house.clock.now += 1
        player = f"player-{second}"
        handler.handle([seen(sequence + n, "A", second + n, player) for n in (1, 2)], caught_up=False)
        handler.settle(everything=False)
        sequence += 2
    at = {player: row.at - NOON for player, row in house.players.rows.items()}
    assert at == {f"player-{second}": 1000 * (second + 1) for second in range(1, 7)}, "each entered, and waits"

    handler.handle([], caught_up=False)  # 11 wait, the first one is settled
    renewed = {player for player, row in house.players.rows.items() if row.at - NOON > at[player]}
    assert renewed == {"player-1", "player-2", "player-3"}


@pytest.mark.usefixtures("few")
def test_renewals_that_were_written_early_are_settled_at_once() -> None:
    """Else each batch until the next settling finds the ledger as full, and writes everybody's renewal again."""
    house = House()
    handler = house.consumer("shard-1")
    handler.start(None)
    handler.settle(everything=False)  # the next settling is due in two seconds
    handler.handle([seen(n, "A", n) for n in range(1, 13)], caught_up=False)
    handler.handle([seen(13, "A", 13)], caught_up=False)
    handler.settle(everything=False)
    handler.handle([seen(14, "A", 14)], caught_up=False)
    handler.handle([], caught_up=False)

    assert house.players.rows["ann"].at == NOON + 13_000


def test_what_no_checkpoint_may_cover_and_how_long_writes_take_is_told() -> None:
    registry = CollectorRegistry()
    house = House(metrics=ConsumerMetrics(registry))
    handler = house.consumer("shard-1")
    handler.start(None)

    def unsettled() -> float | None:
        return registry.get_sample_value("headcount_consumer_unsettled_records", {"shard": "shard-1"})

    handler.handle([seen(1, "A", 0), seen(2, "A", 1), seen(3, "A", 2)], caught_up=True)
    assert unsettled() == 3
    handler.settle(everything=False)
    assert unsettled() == 2
    handler.settle(everything=True)
    assert unsettled() == 0
    assert registry.get_sample_value("headcount_consumer_write_duration_seconds_count") == 2


def test_another_writers_progress_is_taken_over() -> None:
    """A worker that lost its lease, or a lost answer: the tallies count each record once."""
    house = House()
    first, second = house.consumer("shard-1"), house.consumer("shard-1")
    records = [seen(1, "A", 0), seen(2, "B", 1), seen(3, "C", 2)]
    for handler in (first, second):
        handler.start(None)
    first.handle(records[:2], caught_up=False)
    first.settle(everything=True)
    second.handle(records, caught_up=False)
    second.settle(everything=True)
    first.handle(records[2:], caught_up=False)
    first.settle(everything=True)

    assert house.progress.rows[WORKER].position == Position(3)
    assert house.progress.rows[WORKER].tallies == {"applied": 3}


def test_a_worker_that_lost_its_lease_takes_no_time_back() -> None:
    """I6: while a renewal waits both stand at one position, so the zombie's move is not rejected."""
    house = House()
    zombie, owner = house.consumer("shard-1"), house.consumer("shard-1")
    records = [seen(1, "A", 0), seen(2, "A", 1), seen(3, "A", 50)]
    zombie.start(None)
    zombie.handle(records[:2], caught_up=False)
    zombie.settle(everything=False)
    owner.start(None)
    owner.handle(records, caught_up=False)
    owner.settle(everything=False)
    house.clock.now += 3
    zombie.handle([], caught_up=False)
    zombie.settle(everything=False)

    assert house.progress.rows[WORKER].position == Position(1)
    assert house.progress.rows[WORKER].settled == NOON + 50_000
    assert house.progress.rows[WORKER].arrived_at == NOON + 50_000
