"""The snapshots' two files, and what the changes of Transitions' rows add up to."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from game_map.board import Blur
from game_map.snapshots import LEVELS, TRANSITIONS, moves_of, snapshot

ONE_OCLOCK = 1_800_000_000_000  # 2027-01-15T08:00:00Z, ms


def image(count: int, source: str | None, target: str | None) -> dict[str, Any]:
    named = {"levelFrom": source, "levelTo": target}
    return {
        "transitionCount": {"N": str(count)},
        **{name: {"S": value} for name, value in named.items() if value is not None},
    }


def change(before: int | None, after: int | None, source: str | None = "a", target: str | None = "b") -> dict[str, Any]:
    """A record of Transitions' stream; None: there was, or is, no row."""
    images = {"OldImage": before, "NewImage": after}
    return {"dynamodb": {name: image(n, source, target) for name, n in images.items() if n is not None}}


def test_the_files_have_the_shape_of_the_tutorials() -> None:
    moves = {("a", "b"): 3, (None, "a"): 2, ("b", None): 1}

    made = snapshot("an-id", ONE_OCLOCK + 999, 60.0, {"b": 4, "a": 1, "empty": 0, "wrong": -1}, moves, Blur())

    head = {"update_time": "2027-01-15T08:00:00Z", "update_id": "an-id", "update_interval_secs": 60}
    transitions = [{"to": "a", "count": 2}, {"from": "a", "to": "b", "count": 3}, {"from": "b", "count": 1}]
    assert made.files == {
        LEVELS: {**head, "level_player_counts": {"a": 1, "b": 4}},
        TRANSITIONS: {**head, "transitions": transitions},
    }
    assert isinstance(made.levels["update_interval_secs"], int)


def test_what_may_not_be_told_is_in_neither_file() -> None:
    made = snapshot("an-id", 0, 60, {"few": 4, "many": 5}, {("few", "many"): 4, ("many", "few"): 5}, Blur(5))

    assert made.levels["level_player_counts"] == {"many": 5}
    assert made.transitions["transitions"] == [{"from": "many", "to": "few", "count": 5}]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], {}),
        ([change(None, 3)], {("a", "b"): 3}),
        ([change(3, 5), change(None, 3)], {("a", "b"): 5}),
        ([change(5, None)], {}),  # it expired
        ([change(5, None), change(None, 1)], {("a", "b"): 1}),
        ([change(None, 1, None, "b"), change(None, 2, "a", None)], {(None, "b"): 1, ("a", None): 2}),
    ],
)
def test_changes_of_rows_are_the_moves_between(records: list[dict[str, Any]], expected: dict[Any, int]) -> None:
    assert moves_of(records) == expected


@settings(deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1), st.randoms())
def test_in_whatever_order_and_parts_they_come(steps: list[int], dice: Any) -> None:
    totals = [sum(steps[:n]) for n in range(len(steps) + 1)]
    records = [change(before or None, after) for before, after in pairwise(totals)]
    dice.shuffle(records)
    part = dice.randrange(len(records) + 1)

    assert moves_of(records[:part]) + moves_of(records[part:]) == {("a", "b"): sum(steps)}
