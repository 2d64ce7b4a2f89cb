"""Few writes, no change skipped (rules 1, 2, 6)."""

from headcount.model import Outcome, PlayerRow
from tests.fakes.desk import REFRESH, Desk


def test_each_change_of_level_in_a_batch_is_a_write_of_its_own() -> None:
    desk = Desk()

    assert desk.take(("A", 1), ("B", 2), ("C", 3)) == [("A", 1, "change"), ("B", 2, "change"), ("C", 3, "change")]
    assert desk.outcomes == [Outcome.APPLIED] * 3


def test_a_batch_is_taken_in_order_of_time_and_level() -> None:
    desk = Desk()

    assert [level for level, _, _ in desk.take(("C", 3), ("B", 2), ("A", 2))] == ["A", "B", "C"]


def test_a_hundred_events_in_one_level_cost_one_change_and_one_renewal() -> None:
    desk = Desk()
    first = [("A", at) for at in range(50)]
    second = [("A", at) for at in range(50, 100)]

    assert desk.take(*first) == [("A", 0, "change")]
    assert desk.take(*second, now=30) == []
    assert desk.take(now=REFRESH - 1) == []
    assert desk.take(now=REFRESH) == [("A", 99, "renewal")]
    assert desk.outcomes == [Outcome.APPLIED] * 100


def test_a_change_is_written_at_the_time_of_its_first_event() -> None:
    desk = Desk()

    assert desk.take(("A", 1), ("A", 2), ("B", 3), ("B", 4)) == [("A", 1, "change"), ("B", 3, "change")]


def test_a_renewal_overtaken_by_a_change_is_never_written() -> None:
    desk = Desk()
    desk.take(("A", 1))
    desk.take(("A", 2))
    assert desk.roster.held_back == 1

    assert desk.take(("B", 3)) == [("B", 3, "change")]
    assert desk.roster.held_back == 0
    assert desk.take(everything=True, now=999) == []
    assert desk.outcomes == [Outcome.APPLIED] * 3


def test_what_a_stale_change_overtook_is_stale_with_it() -> None:
    desk = Desk()
    desk.take(("A", 1), ("A", 2))
    desk.rows["ann"] = PlayerRow("Z", 9)  # written by another shard's worker

    desk.take(("B", 3))

    assert desk.outcomes == [Outcome.APPLIED, Outcome.STALE, Outcome.STALE]


def test_a_held_event_is_unsettled_until_it_is_written() -> None:
    desk = Desk()
    desk.take(("A", 1), ("A", 2))
    assert desk.outcomes == [Outcome.APPLIED, None]

    assert desk.take(everything=True) == [("A", 2, "renewal")]
    assert desk.outcomes == [Outcome.APPLIED, Outcome.APPLIED]


def test_a_renewal_waits_from_its_first_event_on() -> None:
    desk = Desk()
    desk.take(("A", 1), now=0)
    desk.take(("A", 2), now=50)
    desk.take(("A", 3), now=100)

    assert desk.take(now=109) == []
    assert desk.take(now=110) == [("A", 3, "renewal")]


def test_an_event_that_falls_between_held_ones_changes_level_twice() -> None:
    """A, then a late-coming B, then A again: both moves happened."""
    desk = Desk()
    desk.take(("A", 1), ("A", 5))

    assert desk.take(("B", 3)) == [("B", 3, "change"), ("A", 5, "change")]


def test_an_older_event_is_stale_without_a_write() -> None:
    desk = Desk()
    desk.take(("A", 5))

    assert desk.take(("B", 4), ("A", 5), ("A", 4)) == []
    assert desk.outcomes[1:] == [Outcome.STALE] * 3


def test_nothing_is_stale_before_a_row_was_seen() -> None:
    """An unknown player's event is offered to the table, which decides."""
    desk = Desk()
    desk.rows["ann"] = PlayerRow("Z", 9)

    assert desk.take(("A", 5)) == [("A", 5, "change")]
    assert desk.outcomes == [Outcome.STALE]
    assert desk.take(("B", 8)) == []  # now the row is known
    assert desk.outcomes == [Outcome.STALE, Outcome.STALE]


def test_a_row_seen_in_the_same_level_makes_later_events_renewals() -> None:
    desk = Desk()
    desk.rows["ann"] = PlayerRow("A", 9)
    desk.take(("A", 5))

    assert desk.take(("A", 10)) == []
    assert desk.roster.held_back == 1


def test_a_return_after_the_cutoff_is_written_at_once() -> None:
    """The row may have been deleted, so the same level is a change again."""
    desk = Desk()
    desk.take(("A", 5))
    assert desk.roster.raise_cutoff(6) == set()
    desk.rows.clear()

    assert desk.take(("A", 7)) == [("A", 7, "change")]


def test_a_held_renewal_is_due_at_once_when_the_cutoff_passes_its_row() -> None:
    desk = Desk()
    desk.take(("A", 5), ("A", 7))

    due = desk.roster.raise_cutoff(6)

    assert due == {"ann"}
    assert desk.write([], due, 0) == [("A", 7, "change")]
    assert desk.outcomes == [Outcome.APPLIED, Outcome.APPLIED]


def test_a_held_event_before_the_cutoff_is_late_and_never_written() -> None:
    desk = Desk()
    desk.take(("A", 5), ("A", 7))

    due = desk.roster.raise_cutoff(8)

    assert desk.write([], due, 0) == []
    assert desk.outcomes == [Outcome.APPLIED, Outcome.LATE]


def test_a_row_at_the_cutoff_stays_known() -> None:
    desk = Desk()
    desk.take(("A", 5))
    desk.roster.raise_cutoff(5)

    assert desk.take(("A", 6)) == []


def test_players_are_apart() -> None:
    desk = Desk()
    desk.take(("A", 1))

    assert desk.take(("A", 1), player="bob") == [("A", 1, "change")]


def test_players_of_whom_only_late_events_came_leave_nothing_behind() -> None:
    desk = Desk()
    desk.take(("A", 1), ("A", 2))
    desk.roster.raise_cutoff(1_000_000)

    desk.take(everything=True)

    assert desk.outcomes == [Outcome.APPLIED, Outcome.LATE]
    assert not desk.roster._seats
