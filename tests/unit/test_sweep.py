"""A pass of the pruner, over tables in memory."""

from headcount.event_stream import EventStream
from headcount.model import LevelEvent, PlayerRow, Position, Progress
from headcount.rules import Shard
from headcount.settings import Settings
from pruner.rate import Rate
from pruner.sweep import Sweep
from pruner.waiting import Reason
from tests.fakes.players import MemoryPlayers
from tests.fakes.progress import MemoryProgress

NOON = 1_795_000_000_000
SETTINGS = Settings(idle_timeout_seconds=300, allowed_lateness_seconds=10, max_silence_seconds=600)


class _Shards(EventStream):
    def __init__(self, *shards: Shard) -> None:
        self._listed = list(shards)

    def shards(self) -> list[Shard]:
        return self._listed


class _House:
    def __init__(self, *shards: Shard) -> None:
        self.players, self.progress = MemoryPlayers(), MemoryProgress()
        self.now = NOON / 1000
        self.sweep = Sweep(
            SETTINGS, "s@1", _Shards(*shards), self.players, self.progress, Rate(100_000), lambda: self.now
        )

    def seen(self, player: str, seconds: float) -> None:
        self.players.apply(LevelEvent(player, "a", NOON + round(seconds * 1000)))

    def shard(self, name: str, watermark: float | None, **more: object) -> None:
        mark = None if watermark is None else NOON + round(watermark * 1000)
        row = Progress(Position(1), mark, mark, updated_at=round(self.now * 1000), **more)  # type: ignore[arg-type] # any field
        self.progress.rows[f"consumer/s@1/{name}"] = row


ONE, TWO = Shard("one", (), closed=False), Shard("two", (), closed=False)


def test_who_was_last_seen_before_the_least_watermark_less_timeout_and_lateness_leaves() -> None:
    house = _House(ONE, TWO)
    house.shard("one", 500)
    house.shard("two", 400)
    house.seen("gone", 89.999)
    house.seen("here", 90)

    swept = house.sweep.run()

    assert (swept.cutoff, swept.rose, swept.pruned, swept.complete) == (NOON + 90_000, True, 1, True)
    assert house.players.rows.keys() == {"here"}
    assert house.progress.cutoff().completed == NOON + 90_000


def test_what_a_pass_used_is_told_by_the_next_one() -> None:
    house, used = _House(ONE), [0.0]
    sweep = Sweep(
        *(SETTINGS, "s@1", _Shards(ONE), house.players, house.progress, Rate(100_000), lambda: house.now),
        spent=lambda: used[0],
    )
    told = []
    for used[0] in (2.0, 2.5, 7.25, 7.25):
        sweep.run()
        told.append(house.progress.cutoff().units)

    assert told == [2, 2, 7, 7]


def test_the_cutoff_stands_before_the_first_delete() -> None:
    house = _House(ONE)
    house.shard("one", 1000)
    house.seen("gone", 0)
    stood: list[int | None] = []

    class _Watching(MemoryPlayers):
        def delete(self, player: str, row: PlayerRow) -> bool:
            stood.append(house.progress.cutoff().cutoff)
            return super().delete(player, row)

    watching = _Watching()
    watching.rows = house.players.rows
    Sweep(SETTINGS, "s@1", _Shards(ONE), watching, house.progress, Rate(100_000), lambda: house.now).run()

    assert stood == [NOON + 690_000]


def test_a_shard_that_is_split_and_read_to_its_end_between_two_looks_holds_back_the_cutoff() -> None:
    """Whoever listed the shards before reading the rows would wait neither for it nor for its children."""
    house = _House(ONE, TWO)
    house.shard("one", 400)
    house.shard("two", 1000)
    children = [Shard(name, ("one",), closed=False) for name in ("three", "four")]
    listed = [ONE, TWO]

    def split() -> None:
        house.shard("one", 500, ended=True)
        listed[:] = [Shard("one", (), closed=True), *children, TWO]

    class _Stream(EventStream):
        def __init__(self) -> None:
            pass

        def shards(self) -> list[Shard]:
            found = list(listed)
            split()
            return found

    class _Rows(MemoryProgress):
        def read_all(self, prefix: str) -> dict[str, Progress]:
            found = super().read_all(prefix)
            split()
            return found

    rows = _Rows()
    rows.rows = house.progress.rows
    swept = Sweep(SETTINGS, "s@1", _Stream(), house.players, rows, Rate(100_000), lambda: house.now).run()

    assert swept.cutoff is None  # the children have no watermark yet


def test_a_player_who_returns_as_they_are_judged_stays() -> None:
    house = _House(ONE)
    house.shard("one", 1000)
    house.seen("back", 0)

    class _Returning(MemoryPlayers):
        def delete(self, player: str, row: PlayerRow) -> bool:
            self.apply(LevelEvent(player, "b", NOON + 900_000))
            return super().delete(player, row)

    returning = _Returning()
    returning.rows = house.players.rows
    swept = Sweep(SETTINGS, "s@1", _Shards(ONE), returning, house.progress, Rate(100_000), lambda: house.now).run()

    assert (swept.pruned, swept.returned) == (0, 1)
    assert returning.rows == {"back": PlayerRow("b", NOON + 900_000)}


def test_a_shard_that_nobody_reads_holds_pruning_back_and_says_so() -> None:
    house = _House(ONE, TWO)
    house.shard("one", 10_000)
    house.seen("safe", 0)

    swept = house.sweep.run()

    assert swept.cutoff is None
    assert [(shard.shard, shard.reason) for shard in swept.waiting if shard.reason is Reason.UNOWNED] == [
        ("two", Reason.UNOWNED)
    ]
    assert "two" in house.progress.cutoff().held_back
    assert house.players.rows.keys() == {"safe"}


def test_a_consumer_that_is_down_stops_the_clock_and_empties_nothing() -> None:
    house = _House(ONE)
    house.shard("one", 100, arrived_at=NOON + 100_000, caught_up_at=NOON + 101_000)
    house.seen("safe", 0)
    house.now += 86_400

    swept = house.sweep.run()

    assert (swept.pruned, [shard.reason for shard in swept.waiting]) == (0, [Reason.UNOWNED])
    assert house.progress.cutoff().stream_time == NOON + 100_000


def test_a_silence_that_was_seen_for_long_enough_moves_the_stream_time_by_the_clock() -> None:
    house = _House(ONE)
    house.shard("one", 100, arrived_at=NOON + 100_000, caught_up_at=NOON + 699_999)
    house.sweep.run()
    assert house.progress.cutoff().stream_time == NOON + 100_000

    house.shard("one", 100, arrived_at=NOON + 100_000, caught_up_at=NOON + 700_000)
    house.sweep.run()
    assert house.progress.cutoff().stream_time == NOON + 700_000


def test_an_ended_shard_counts_no_more_and_its_child_does() -> None:
    child = Shard("child", ("one",), closed=False)
    house = _House(Shard("one", (), closed=True), child)
    house.shard("one", 100, ended=True)
    house.seen("gone", 0)
    assert house.sweep.run().cutoff is None

    house.shard("child", 1000)
    assert house.sweep.run().pruned == 1


def test_a_pass_that_is_stopped_is_not_complete() -> None:
    house = _House(ONE)
    house.shard("one", 1000)
    house.seen("gone", 0)

    swept = house.sweep.run(lambda: True)

    assert (swept.complete, swept.pruned, house.progress.cutoff().completed) == (False, 0, None)


def test_two_pruners_at_once_delete_each_player_once() -> None:
    house = _House(ONE)
    house.shard("one", 1000)
    for number in range(50):
        house.seen(f"p{number}", 0)
    first, second = house.sweep.run(), house.sweep.run()

    assert first.pruned + second.pruned == 50
    assert not house.players.rows
