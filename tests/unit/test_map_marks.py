"""As of when the counts are: which rows count, and what stands in the way."""

from game_map.marks import AsOf, Mark, counted_by, stream_shards_to_wait_for, written_by
from headcount.lineage import Listing, StreamShard
from headcount.model import Progress


def test_the_least_of_all_shards_counts() -> None:
    rows = [Progress(arrived_at=10, seen_at=30, updated_at=31), Progress(arrived_at=20, updated_at=40)]
    assert written_by(rows) == Mark(seen=20, written=40)
    assert counted_by(rows) == 20


def test_a_shard_that_says_nothing_leaves_it_open() -> None:
    for silent in (None, Progress(updated_at=9)):
        assert written_by([Progress(arrived_at=10), silent]) is None
        assert counted_by([Progress(arrived_at=10), silent]) is None
    assert written_by([]) is None
    assert counted_by([]) is None


def test_what_was_written_later_than_what_is_counted_must_wait() -> None:
    as_of = AsOf()
    assert as_of.look(Mark(seen=100, written=150), counted=120) is None, "changes up to 150 may not be counted"
    assert as_of.look(Mark(seen=200, written=250), counted=150) is None, "made in the very moment of the newest one"
    assert as_of.look(Mark(seen=200, written=250), counted=151) == 100
    assert as_of.look(None, counted=None) == 100
    assert as_of.look(Mark(seen=50, written=300), counted=400) == 200, "never goes back"


def test_shards_read_to_their_end_and_those_behind_one_under_way_do_not_count() -> None:
    shards = [("a", None), ("b", "a"), ("c", "b"), ("d", "b"), ("e", None), ("f", "e")]
    listing = Listing(tuple(StreamShard(name, parent) for name, parent in shards))
    ended = Progress(ended=True)

    assert stream_shards_to_wait_for(listing, {}) == ["a", "e"]
    assert stream_shards_to_wait_for(listing, {"a": ended, "b": Progress()}) == ["b", "e"]
    assert stream_shards_to_wait_for(listing, {"b": ended, "c": Progress(), "e": ended}) == ["c", "d", "f"]
