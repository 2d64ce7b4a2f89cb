"""How a silent shard knows that it has read everything up to some time (rule 6)."""

import pytest

from headcount.quiet import BATCHES_ON_THEIR_WAY, PUSHES_IN_A_ROW, Note, Quiet

NEEDED = BATCHES_ON_THEIR_WAY + 1


def feed(quiet: Quiet, empties: list[bool]) -> list[int | None]:
    """The times confirmed by batches that come at 0, 1, 2, and so on."""
    confirmed = (quiet.batch(empty=empty, caught_up=empty, now=Note(at, at * 10)) for at, empty in enumerate(empties))
    return [note.at if note else None for note in confirmed]


def test_a_note_is_confirmed_once_a_read_that_began_after_it_was_empty() -> None:
    assert feed(Quiet(), [True] * (NEEDED + 1)) == [None] * NEEDED + [0]


def test_the_next_note_is_taken_as_one_is_confirmed() -> None:
    assert feed(Quiet(), [True] * (2 * NEEDED + 1))[NEEDED:] == [0, *[None] * (NEEDED - 1), NEEDED]


def test_records_on_their_way_do_not_spoil_an_older_note() -> None:
    """They were read; only that the newest read found nothing matters."""
    assert feed(Quiet(), [False] * NEEDED + [True]) == [None] * NEEDED + [0]


def test_a_busy_shard_confirms_nothing() -> None:
    assert feed(Quiet(), [False] * 50) == [None] * 50


def test_the_note_stands_until_it_is_confirmed() -> None:
    assert feed(Quiet(), [False] * 20 + [True]) == [None] * 20 + [0]


@pytest.mark.parametrize("early", range(NEEDED))
def test_an_empty_batch_that_may_have_been_read_before_the_note_confirms_nothing(early: int) -> None:
    empties = [False] * NEEDED
    empties[early] = True

    assert feed(Quiet(), empties) == [None] * NEEDED


def test_the_stream_time_is_the_one_noted_before() -> None:
    quiet = Quiet()
    for at in range(NEEDED):
        quiet.batch(empty=True, caught_up=True, now=Note(at, at))

    assert quiet.batch(empty=True, caught_up=True, now=Note(99, 99)) == Note(0, 0)


def test_without_a_time_no_note_is_taken_and_an_older_one_confirmed() -> None:
    quiet = Quiet()
    for at in (None, 3, *[None] * (NEEDED - 1)):
        assert quiet.batch(empty=True, caught_up=True, now=None if at is None else Note(at, at)) is None

    assert quiet.batch(empty=True, caught_up=True, now=None) == Note(3, 3)
    assert quiet.batch(empty=True, caught_up=True, now=None) is None


@pytest.mark.parametrize("before", range(4))
def test_pushes_confirm_a_note_only_where_the_newest_were_awaited(before: int) -> None:
    """One that was not may have lain there since before the note, and so may those before it."""
    awaited = [True, *[False, True] * before, *[True] * (PUSHES_IN_A_ROW - bool(before))]

    assert feed(Quiet(PUSHES_IN_A_ROW, in_a_row=True), awaited) == [None] * (len(awaited) - 1) + [0]


def test_pushed_records_that_were_awaited_count_and_an_empty_push_confirms() -> None:
    """Else records that can't be read, one now and then, would hold up all pruning."""
    quiet = Quiet(PUSHES_IN_A_ROW, in_a_row=True)
    quiet.batch(empty=True, caught_up=True, now=Note(0, 0))
    for at in range(1, 9):
        assert quiet.batch(empty=False, caught_up=True, now=Note(at, at)) is None

    assert quiet.batch(empty=True, caught_up=True, now=Note(9, 9)) == Note(0, 0)
