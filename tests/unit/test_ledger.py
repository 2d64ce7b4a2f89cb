"""What is read and not settled: a checkpoint covers only what lies before the first unsettled record (rule 3)."""

from dataclasses import replace

import pytest

from consumer.ledger import Entry, Ledger
from headcount.model import Outcome, Position


def entry(sequence: int, outcome: Outcome | None = None, at: int | None = None, sub: int = 0) -> Entry:
    return Entry(str(sequence), sub, 0, at, outcome)


def ledger_of(*entries: Entry) -> Ledger:
    ledger = Ledger()
    ledger.extend(entries, 0)
    return ledger


def test_an_empty_ledger_has_no_front() -> None:
    assert ledger_of().front() is None


def test_nothing_is_settled_behind_the_first_unsettled_record() -> None:
    waiting = entry(2)
    ledger = ledger_of(entry(1, Outcome.APPLIED), waiting, entry(3, Outcome.APPLIED))

    front = ledger.front()
    assert front is not None
    assert front.last.position == Position(1)

    waiting.outcome = Outcome.STALE
    front = ledger.front()
    assert front is not None
    assert front.last.position == Position(3)


def test_a_record_that_waits_in_front_holds_all_back() -> None:
    assert ledger_of(entry(1), entry(2, Outcome.APPLIED)).front() is None


def test_the_front_stays_until_it_is_dropped() -> None:
    ledger = ledger_of(entry(1, Outcome.APPLIED), entry(2, Outcome.LATE), entry(3))
    front = ledger.front()
    assert front is not None
    assert len(ledger) == 3

    ledger.drop(front)

    assert len(ledger) == 1
    assert ledger.front() is None


def test_what_is_appended_meanwhile_is_not_dropped() -> None:
    ledger = ledger_of(entry(1, Outcome.APPLIED))
    front = ledger.front()
    assert front is not None
    ledger.extend([entry(2, Outcome.APPLIED)], 1)

    ledger.drop(front)

    assert len(ledger) == 1


@pytest.mark.parametrize(("times", "newest"), [([3, 9, 5], 9), ([None, 4], 4), ([None, None], None), ([0], 0)])
def test_the_newest_time_of_the_front(times: list[int | None], newest: int | None) -> None:
    entries = [entry(number, Outcome.APPLIED, at) for number, at in enumerate(times)]
    front = ledger_of(*entries, entry(98, None, 99), entry(99, Outcome.APPLIED, 100)).front()

    assert front is not None
    assert front.newest == newest


def test_redelivered_records_add_nothing_to_the_tallies() -> None:
    """I5: neither do those of an aggregated record, of which only a part was covered."""
    front = ledger_of(
        entry(1, Outcome.APPLIED),
        entry(2, Outcome.STALE),
        entry(2, Outcome.STALE, sub=1),
        entry(2, Outcome.LATE, sub=2),
        entry(3, Outcome.APPLIED),
    ).front()

    assert front is not None
    assert front.tallies_after(None) == {"applied": 2, "stale": 2, "late": 1}
    assert front.tallies_after(Position(2, 1)) == {"applied": 1, "late": 1}
    assert front.tallies_after(Position(3)) == {}


def test_when_the_oldest_were_read() -> None:
    ledger = Ledger()
    assert ledger.read_by(0) == ledger.read_by(5) == float("-inf")
    for batch, read_at in enumerate((10, 20, 20, 30)):
        ledger.extend([entry(batch * 2, Outcome.APPLIED), entry(batch * 2 + 1, Outcome.APPLIED)], read_at)
        ledger.extend([], read_at + 1)
    assert [ledger.read_by(count) for count in range(-1, 10)] == [float("-inf")] * 2 + [
        10,
        10,
        20,
        20,
        20,
        20,
        30,
        30,
        30,
    ]

    front = ledger.front()
    assert front is not None
    ledger.drop(replace(front, entries=front.entries[:3]))
    assert [ledger.read_by(count) for count in range(1, 6)] == [20, 20, 20, 30, 30]
    ledger.drop(replace(front, entries=front.entries[3:]))
    assert (len(ledger), ledger.read_by(1)) == (0, float("-inf"))
