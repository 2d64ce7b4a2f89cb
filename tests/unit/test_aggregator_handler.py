"""Exactly once, in transactions of at most 100 items (rule 7)."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from prometheus_client import CollectorRegistry

from headcount.lineage import KEPT_FOR_CERTAIN_MS
from headcount.metrics import AggregatorMetrics
from headcount.model import LevelEvent, Position, Progress, Record, Transition
from headcount.rules import MINUTE_MS
from level_aggregator.begin import GapError
from level_aggregator.handler import LEAST_PAUSE, MOST_FAILURES, MOST_PAUSE
from tests.fakes.counts import cancelled
from tests.fakes.hooks import AFTER, BEFORE
from tests.fakes.lines import NOON, record
from tests.fakes.wiring import IDLE_MS, House

WORKER = "level_aggregator/PlayerState@1/shard-1"


class Faults:
    """Errors that the next transactions meet, each before or after its effect."""

    def __init__(self, *waiting: tuple[str, Exception]) -> None:
        self.waiting = list(waiting)

    def __call__(self, operation: str, moment: str) -> None:
        """Raise the next one when its moment comes."""
        if operation == "counts.apply" and self.waiting and self.waiting[0][0] == moment:
            raise self.waiting.pop(0)[1]


LOST = ConnectionClosedError(endpoint_url="memory")


def players_in(house: House, count: int) -> list[Record]:
    """So many players enter a level each."""
    for number in range(count):
        house.players.apply(LevelEvent(f"p{number}", f"l{number}", NOON))
    return [record(100 + number, data) for number, (_, data) in enumerate(house.players.stream)]


def counted(house: House) -> int:
    return sum(row.players for row in house.counts.levels().values())


def test_a_batch_of_one_minute_is_one_transaction() -> None:
    house = House()
    handler = house.aggregator("shard-1")
    handler.start(None)

    assert handler.handle(players_in(house, 49), caught_up=True) == {"transition": 49, "renewal": 0, "replayed": 0}
    assert house.counts.transactions == 1


def test_what_does_not_fit_is_split_in_order_and_progress_moves_with_each_part() -> None:
    house = House()
    handler = house.aggregator("shard-1")
    handler.start(None)

    handler.handle(players_in(house, 120), caught_up=True)

    begun, *counted_up_to = [row.position for row in house.progress.history[WORKER]]
    assert begun is None
    assert counted_up_to == [Position(148), Position(197), Position(219)]
    assert counted(house) == 120


def test_a_crash_between_two_parts_counts_each_once() -> None:
    house = House(Faults((AFTER, KeyboardInterrupt())))  # type: ignore[arg-type] # what no handler may catch
    handler = house.aggregator("shard-1")
    handler.start(None)
    records = players_in(house, 120)
    with pytest.raises(KeyboardInterrupt):
        handler.handle(records, caught_up=True)
    assert counted(house) == 49

    again = house.aggregator("shard-1")
    again.start(None)

    assert again.handle(records, caught_up=True)["replayed"] == 49 + 0
    assert counted(house) == 120


UNTOLD = ClientError(
    {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": [None]},  # type: ignore[list-item] # an entry that is no object
    "TransactWriteItems",
)


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
@pytest.mark.parametrize("error", [LOST, UNTOLD], ids=["lost", "without_reasons"])
def test_a_lost_answer_counts_once(moment: str, error: Exception) -> None:
    house = House(Faults((moment, error)))
    handler = house.aggregator("shard-1")
    handler.start(None)

    handler.handle(players_in(house, 3), caught_up=True)

    assert counted(house) == 3
    assert house.counts.transactions == 1


def test_conflicts_double_the_pause_up_to_a_second_and_successes_halve_it() -> None:
    house = House(Faults(*[(BEFORE, cancelled("TransactionConflict"))] * 8))
    handler = house.aggregator("shard-1")
    handler.start(None)
    handler.handle(players_in(house, 1), caught_up=True)

    assert len(house.clock.slept) == 8
    for number, slept in enumerate(house.clock.slept):
        most = min(MOST_PAUSE, LEAST_PAUSE * 2**number)
        assert most / 2 <= slept <= most
    assert handler._pause == MOST_PAUSE / 2
    assert counted(house) == 1


def test_a_failure_that_lasts_is_raised() -> None:
    house = House(Faults(*[(BEFORE, LOST)] * MOST_FAILURES))
    handler = house.aggregator("shard-1")
    handler.start(None)

    with pytest.raises(ConnectionClosedError):
        handler.handle(players_in(house, 1), caught_up=True)
    assert counted(house) == 0


def test_an_error_that_is_none_of_these_is_raised_too() -> None:
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "TransactWriteItems")
    house = House(Faults(*[(BEFORE, refused)] * MOST_FAILURES))
    handler = house.aggregator("shard-1")
    handler.start(None)

    with pytest.raises(ClientError, match="AccessDenied"):
        handler.handle(players_in(house, 1), caught_up=True)


def test_renewals_cost_no_transaction_and_are_covered_by_the_next_settle() -> None:
    house = House()
    handler = house.aggregator("shard-1")
    handler.start(None)
    for at in range(3):
        house.players.apply(LevelEvent("ann", "A", NOON + at))
    records = [record(100 + number, data) for number, (_, data) in enumerate(house.players.stream)]
    handler.handle(records[:1], caught_up=True)
    handler.handle(records[1:], caught_up=True)
    assert house.progress.rows[WORKER].position == Position(100)

    place = handler.settle(everything=True)

    assert house.counts.transactions == 1
    assert place is records[-1]
    assert house.progress.rows[WORKER].position == Position(102)


def test_who_is_pruned_leaves_in_the_minute_of_the_timeout() -> None:
    house = House()
    handler = house.aggregator("shard-1")
    handler.start(None)
    house.players.apply(LevelEvent("ann", "A", NOON))
    house.players.delete("ann", house.players.rows["ann"])
    records = [record(100 + number, data) for number, (_, data) in enumerate(house.players.stream)]
    handler.handle(records, caught_up=True)

    minute = (NOON + IDLE_MS) // MINUTE_MS * 60
    assert house.counts.made == {Transition(NOON // 1000, None, "A"): 1, Transition(minute, "A", None): 1}


@pytest.mark.parametrize(("checkpoint", "gap"), [(None, False), (99, False), (100, False), (101, True), (5000, True)])
def test_a_gap_before_the_checkpoint_stops_the_shard(checkpoint: int | None, gap: bool) -> None:
    registry = CollectorRegistry()
    house = House(aggregator_metrics=AggregatorMetrics(registry))
    first = house.aggregator("shard-1")
    first.start(None)
    first.handle(players_in(house, 1), caught_up=True)
    at = None if checkpoint is None else Position(checkpoint)

    if gap:
        with pytest.raises(GapError, match="LevelState must be rebuilt"):
            house.aggregator("shard-1").start(at)
    else:
        house.aggregator("shard-1").start(at)
    assert registry.get_sample_value("headcount_aggregator_gaps_total") == gap
    assert registry.get_sample_value("headcount_aggregator_transaction_duration_seconds_count") == 1


def test_the_progress_says_when_the_newest_change_that_is_counted_was_made() -> None:
    """With the count, in one transaction; and after what changes no count."""
    house = House()
    handler = house.aggregator("shard-1")
    handler.start(None)
    *changes, last = players_in(house, 3)

    handler.handle(changes, caught_up=True)
    assert house.progress.rows[WORKER].arrived_at == changes[-1].arrived_at

    handler.handle([last], caught_up=True)
    assert house.progress.rows[WORKER].arrived_at == last.arrived_at


def late_house(*, trimmed: bool) -> tuple[House, list[Position | None]]:
    """A worker that counted a first record a day ago; and what it asks the stream for, which has ``trimmed`` it."""
    house, asked = House(), []

    def is_lost(_shard: str, after: Position | None, _now: int) -> bool:
        asked.append(after)
        return trimmed

    house.aggregator_parts = replace(
        house.aggregator_parts, is_lost=is_lost, wall=lambda: NOON / 1000 + KEPT_FOR_CERTAIN_MS / 1000 + 1
    )
    return house, asked


@pytest.mark.parametrize("trimmed", [True, False])
@pytest.mark.parametrize("ended", [True, False], ids=["at its end", "in a batch"])
def test_a_worker_that_runs_a_day_late_counts_nothing_beyond_a_hole(trimmed: bool, ended: bool) -> None:
    """The streams adapter goes on at what is left without a word."""
    house, asked = late_house(trimmed=trimmed)
    house.progress.rows[WORKER] = Progress(Position(100), arrived_at=NOON)
    handler = house.aggregator("shard-1")
    handler._progress = house.progress.rows[WORKER]
    records = players_in(house, 2)[1:]

    def go_on() -> object:
        return handler.settle(everything=True, ended=True) if ended else handler.handle(records, caught_up=True)

    if trimmed:
        with pytest.raises(GapError, match=r"ends at 100, .* no longer has what comes next.*rebuild"):
            go_on()
        assert counted(house) == 0
        assert not house.progress.rows[WORKER].ended
    else:
        go_on()
    assert asked == [Position(100)]


def test_a_worker_in_time_asks_the_stream_nothing() -> None:
    house, asked = late_house(trimmed=True)
    handler = house.aggregator("shard-1")
    handler._progress = Progress(Position(99), arrived_at=NOON + 2000)

    handler.handle(players_in(house, 2), caught_up=True)

    assert counted(house) == 2
    assert asked == []


STEP = 3  # s, longer than between two moves of the progress


def seen_after(house: House, *batches: int) -> list[int | None]:
    """Batches of so many records come: after each, the number of the batch up to which the shard was seen."""
    handler = house.aggregator("shard-1")
    handler.start(None)
    coming = iter(players_in(house, sum(batches)))
    handled_at, seen = [], []
    for count in batches:
        house.clock.now += STEP
        handled_at.append(round(house.clock.now * 1000))
        handler.handle([next(coming) for _ in range(count)], caught_up=True)
        handler.settle(everything=False)
        at = house.progress.rows[WORKER].seen_at
        seen.append(None if at is None else handled_at.index(at))
    return seen


@pytest.mark.parametrize(
    ("batches", "seen"),
    [
        ([0] * 7, [None] * 7),
        ([0] * 8, [None] * 7 + [0]),
        ([0] * 15, [None] * 7 + [0] * 7 + [7]),
        ([0, 0, 3, *[0] * 6], [None] * 9),  # a record begins the count anew
        ([0, 0, 3, *[0] * 7], [None] * 9 + [0]),
        ([1] * 20, [None] * 20),  # then the newest record says it
    ],
)
def test_a_shard_is_seen_to_be_silent_after_seven_empty_batches(batches: list[int], seen: list[int | None]) -> None:
    assert seen_after(House(), *batches) == seen


def test_what_was_seen_of_a_shard_stays_and_costs_no_write_without_news() -> None:
    house = House()
    seen_after(house, *[0] * 8)
    moves = len(house.progress.history[WORKER])
    handler = house.aggregator("shard-1")
    handler.start(None)
    handler.handle(players_in(house, 1), caught_up=True)
    house.clock.now += STEP
    handler.settle(everything=False)
    assert house.progress.rows[WORKER].seen_at is not None
    assert len(house.progress.history[WORKER]) == moves + 1, "the transaction alone"
