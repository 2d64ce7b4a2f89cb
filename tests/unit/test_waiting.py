"""Why pruning waits, as an operator is told (rule 6)."""

import pytest

from headcount.model import Progress
from headcount.settings import Settings
from pruner.waiting import UNOWNED_AFTER_MS, Reason, waiting_for

NOW = 1_700_000_000_000
SETTINGS = Settings()
NORMAL = 60_000 + UNOWNED_AFTER_MS
LIVE = Progress(watermark=NOW - 5_000, updated_at=NOW - 2_000, arrived_at=NOW - 1_000, caught_up_at=NOW - 1_500)


def told(row: Progress | None, stream_time: int | None = NOW) -> list[tuple[Reason, str]]:
    rows = {} if row is None else {"shard-1": row}
    return [(found.reason, str(found)) for found in waiting_for(["shard-1"], rows, stream_time, NOW, SETTINGS)]


def row(**changes: int | None) -> Progress:
    fields = {"watermark": NOW, "updated_at": NOW, "arrived_at": NOW, "caught_up_at": NOW} | changes
    return Progress(
        watermark=fields["watermark"],
        updated_at=fields["updated_at"] or 0,
        arrived_at=fields["arrived_at"],
        caught_up_at=fields["caught_up_at"],
    )


def test_a_shard_that_keeps_up_is_not_waited_for() -> None:
    assert told(LIVE) == []


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (None, Reason.UNOWNED, "no consumer has begun to read it"),
        (row(updated_at=NOW - 31_000), Reason.UNOWNED, "written its progress for 31 s"),
        (row(watermark=None), Reason.NO_WATERMARK, "it has had no event yet"),
        (row(watermark=NOW - NORMAL - 1), Reason.BEHIND, "90 s of event time behind the others"),
        (row(arrived_at=NOW - 60_000), Reason.SILENT, "silent for 60 s; after 600 s the clock goes on"),
    ],
)
def test_each_reason(found: Progress | None, reason: Reason, words: str) -> None:
    [(why, line)] = told(found)

    assert why is reason
    assert line.startswith("shard-1: ")
    assert words in line


def test_behind_the_clock_when_all_shards_are() -> None:
    """The stream's own time stands as far back: a consumer that catches up after an outage."""
    old = NOW - NORMAL - 10_000

    assert told(row(watermark=old), stream_time=old) == [
        (Reason.BEHIND, f"shard-1: its consumer is {(NORMAL + 10_000) // 1000} s behind the clock")
    ]


def test_once_the_silence_has_lasted_it_is_no_reason() -> None:
    assert told(row(arrived_at=NOW - 600_000), stream_time=NOW) == []


@pytest.mark.parametrize("behind", [NORMAL, 0, -5_000])
def test_what_a_held_renewal_costs_is_normal(behind: int) -> None:
    assert told(row(watermark=NOW - behind)) == []


def test_each_shard_is_judged_by_itself_and_others_do_not_count() -> None:
    rows = {"a": row(), "b": row(watermark=None), "gone": row(updated_at=0)}

    found = waiting_for(["a", "b", "c"], rows, NOW, NOW, SETTINGS)

    assert [(one.shard, one.reason) for one in found] == [("b", Reason.NO_WATERMARK), ("c", Reason.UNOWNED)]
