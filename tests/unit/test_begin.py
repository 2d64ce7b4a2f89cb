"""Where a worker of the aggregator begins, and when it must not (rule 7)."""

from dataclasses import replace

import pytest

from headcount.model import Position, Progress
from level_aggregator.begin import GapError, begin
from tests.fakes.wiring import House

STREAM = "PlayerState@1"
WORKER, MARK = f"level_aggregator/{STREAM}/a", f"rebuild/{STREAM}"
COUNTED = Progress(Position(7))


def test_a_shard_that_was_begun_has_a_row() -> None:
    """However quiet it is, its parent's row may expire."""
    house = House()
    assert begin(house.aggregator_parts, STREAM, "a", None).position is None
    assert house.progress.rows[WORKER].updated_at > 0


@pytest.mark.parametrize(
    ("row", "lost", "refuses"),
    [
        (COUNTED, True, True),
        (COUNTED, False, False),
        (replace(COUNTED, ended=True), True, False),
        (Progress(), True, False),
        (None, True, True),
        (None, False, False),
    ],
    ids=["trimmed", "there", "read to its end", "begun, nothing read", "never begun, trimmed", "never begun"],
)
def test_what_comes_next_must_be_there(row: Progress | None, lost: bool, refuses: bool) -> None:
    house = House()
    if row is not None:
        house.progress.rows[WORKER] = row
    parts = replace(house.aggregator_parts, is_lost=lambda _shard, _after, _now: lost)
    if refuses:
        with pytest.raises(GapError, match=r"no longer has what comes next.*python -m headcount rebuild"):
            begin(parts, STREAM, "a", None)
    else:
        begin(parts, STREAM, "a", None)


@pytest.mark.parametrize("ended", [True, False])
def test_nobody_begins_while_a_rebuild_is_unfinished(ended: bool) -> None:
    house = House()
    house.progress.rows[WORKER] = COUNTED
    house.progress.rows[MARK] = Progress(updated_at=1, ended=ended)
    if ended:
        assert begin(house.aggregator_parts, STREAM, "a", Position(7)) == COUNTED
    else:
        with pytest.raises(GapError, match="under way or was cut short"):
            begin(house.aggregator_parts, STREAM, "a", Position(7))
