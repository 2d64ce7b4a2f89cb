"""What is lost to the counts, by shards and progress (rule 7)."""

import pytest

from headcount.lineage import Listing, StreamShard, ahead, gaps, has_counted, told, unread
from headcount.model import Position, Progress

OLD, YOUNG = 25 * 3_600_000, 22 * 3_600_000
ENDED, COUNTED, BEGUN = Progress(Position(5), ended=True), Progress(Position(5)), Progress()


def chain(*ids: str, gone: str | None = None) -> Listing:
    """Shards that follow each other; ``gone``: the first one's parent."""
    parents = [gone, *ids]
    return Listing(tuple(StreamShard(name, parent, "1") for name, parent in zip(ids, parents, strict=False)))


@pytest.mark.parametrize(
    ("listing", "rows"),
    [
        (chain("a"), {"a": COUNTED}),
        (chain("a"), {"a": BEGUN}),
        (chain("b", gone="a"), {"a": ENDED}),
        (chain("b", gone="a"), {"b": COUNTED}),
        (chain("b", gone="a"), {"a": ENDED, "b": BEGUN}),
        (chain("a", "b"), {"a": COUNTED}),
        (chain("b", "c", "d", gone="a"), {"d": BEGUN}),
        (chain("a"), {"x": ENDED}),
        (Listing((StreamShard("a"), StreamShard("b"))), {"a": COUNTED}),
    ],
    ids=[
        "the only shard", "begun, nothing read", "its parent was read to its end", "its own row, the parent's expired",
        "begun, quiet", "a child not yet begun", "rows of the oldest have expired", "an ended shard's row outlives it",
        "a second shard from the stream's beginning",
    ],
)  # fmt: skip
def test_nothing_is_lost(listing: Listing, rows: dict[str, Progress]) -> None:
    assert gaps(listing, rows) == []


@pytest.mark.parametrize(
    ("listing", "rows", "lost"),
    [
        (chain("b", gone="a"), {"a": COUNTED}, ["shard a is no longer", "what came before shard b"]),
        (chain("c", gone="b"), {"a": ENDED}, ["what came before shard c"]),
        (chain("b", "c", gone="a"), {"x": ENDED}, ["what came before shard b"]),
        (chain("b", gone="a"), {"a": BEGUN, "b": COUNTED}, ["shard a is no longer"]),
        (Listing(()), {"a": COUNTED}, ["shard a is no longer"]),
    ],
    ids=["read in part", "a whole shard unread", "begun long ago", "begun, never read on", "all of it"],
)
def test_what_is_lost(listing: Listing, rows: dict[str, Progress], lost: list[str]) -> None:
    found = gaps(listing, rows)
    assert len(found) == len(lost)
    assert all(any(sentence.startswith(part) for sentence in found) for part in lost)


@pytest.mark.parametrize(
    ("row", "checkpoint", "lost"),
    [(COUNTED, 5, False), (COUNTED, 4, False), (COUNTED, 6, True), (BEGUN, 1, True), (None, 1, True)],
)
def test_a_checkpoint_ahead_of_what_was_counted(row: Progress | None, checkpoint: int, lost: bool) -> None:
    rows = {} if row is None else {"a": row}
    assert bool(ahead(chain("a"), rows, {"a": Position(checkpoint)})) == lost


def test_a_checkpoint_of_a_shard_that_is_gone_skips_nothing() -> None:
    assert ahead(chain("b"), {}, {"a": Position(9)}) == []


def test_only_what_is_still_to_be_read_is_asked_for() -> None:
    listing = chain("a", "b", "c", "d")
    rows = {"b": ENDED, "c": COUNTED}

    asked = [(shard.shard_id, after) for shard, after in unread(listing, rows, OLD)]

    assert asked == [("c", Position(5)), ("d", None)]


def test_a_young_stream_has_its_beginning() -> None:
    assert unread(chain("a"), {}, YOUNG) == []
    assert [shard.shard_id for shard, _ in unread(chain("a"), {"a": COUNTED}, YOUNG)] == ["a"]


def test_a_shard_that_ends_where_was_counted_goes_no_further() -> None:
    shard = StreamShard("a", None, "000000000000000000001", "000000000000000000005")
    assert [shard.goes_beyond(Position(at)) for at in (4, 5, 6)] == [True, False, False]
    assert StreamShard("a").goes_beyond(Position(10**30))


@pytest.mark.parametrize(("row", "counted"), [(BEGUN, False), (COUNTED, True), (Progress(ended=True), True)])
def test_begun_is_not_counted(row: Progress, counted: bool) -> None:
    assert has_counted({"a": row}) == counted
    assert not has_counted({})


def test_many_are_told_as_a_few() -> None:
    assert told(["a", "b"]) == "a; b"
    assert told("abcdef") == "a; b; c; and 3 more"
