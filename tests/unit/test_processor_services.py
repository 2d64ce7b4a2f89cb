"""Both services through the KCL's protocol, on tables in memory: what a checkpoint covers is durable."""

from collections.abc import Iterator

import pytest
import structlog

from headcount.model import LevelCount, LevelEvent, PlayerRow, Position, Progress, Record
from tests.fakes.hooks import BEFORE
from tests.fakes.lines import NOON, event_line, other_line, record
from tests.fakes.protocol import (
    SHARD_ENDED,
    SHUTDOWN,
    Line,
    checkpoint,
    checkpointed,
    done,
    initialize,
    process,
    talk,
)
from tests.fakes.wiring import STREAM, House

CONSUMER = f"consumer/{STREAM}/shard-1"
AGGREGATOR = "level_aggregator/PlayerState@1/shard-1"
STARTED, BATCH = done("initialize"), done("processRecords")


@pytest.fixture(autouse=True)
def _forget_the_shard() -> Iterator[None]:
    yield
    structlog.contextvars.clear_contextvars()


def seen(sequence: int, level: str, seconds: int, player: str = "ann", sub: int = 0) -> Record:
    at = NOON + seconds * 1000
    return record(sequence, event_line(player, level, at), at, sub)


def tallies(house: House) -> dict[str, int]:
    return house.progress.rows[CONSUMER].tallies


def test_rows_and_progress_stand_before_the_checkpoint() -> None:
    house = House()
    covered: list[tuple[PlayerRow, Position | None]] = []

    def listen(line: Line) -> None:
        if line["action"] == "checkpoint":
            covered.append((house.players.rows["ann"], house.progress.rows[CONSUMER].position))

    records = [seen(1, "A", 0), record(2, other_line(NOON)), record(3, b"poison"), seen(4, "B", 1)]
    talked = talk(house.consumer, initialize(), process(*records), checkpointed(), listen=listen)

    assert talked.said == [STARTED, checkpoint(4), BATCH]
    assert covered == [(PlayerRow("B", NOON + 1000), Position(4))]
    assert tallies(house) == {"applied": 2, "ignored": 1, "dead_lettered": 1}
    assert [letter.raw for letter in house.letters.letters.values()] == [b"poison"]


def test_a_held_renewal_holds_the_checkpoint_back_until_shutdown() -> None:
    house = House()

    batch = process(seen(1, "A", 0), seen(2, "A", 1), seen(3, "B", 2, "bob"))
    talked = talk(house.consumer, initialize(), batch, checkpointed(), SHUTDOWN, checkpointed())

    assert talked.said == [STARTED, checkpoint(1), BATCH, checkpoint(3), done("shutdownRequested")]
    assert house.players.rows["ann"] == PlayerRow("A", NOON + 1000)
    assert tallies(house) == {"applied": 3}


def test_redelivered_records_change_nothing() -> None:
    """I5: after a crash without a checkpoint everything comes again."""
    house = House()
    batch = process(seen(1, "A", 0), seen(2, "B", 1), record(3, b"poison"))
    talk(house.consumer, initialize(), batch, checkpointed("ThrottlingException"), checkpointed())
    before = dict(house.players.rows), tallies(house), len(house.players.applied)

    talked = talk(house.consumer, initialize(), batch, checkpointed())

    assert talked.said == [STARTED, checkpoint(3), BATCH]
    assert (dict(house.players.rows), tallies(house), len(house.players.applied)) == before
    assert len(house.letters.letters) == 1


def test_a_checkpoint_may_fall_within_an_aggregated_record() -> None:
    house = House()
    first = seen(7, "A", 0, sub=0), seen(7, "B", 1, "bob", sub=1), seen(7, "A", 2, sub=2)

    talked = talk(house.consumer, initialize(), process(*first), checkpointed())

    assert talked.said == [STARTED, checkpoint(7, 1), BATCH]
    assert house.progress.rows[CONSUMER].position == Position(7, 1)

    talked = talk(house.consumer, initialize("7", 1), process(first[2]), checkpointed(), SHUTDOWN)

    assert talked.said == [STARTED, checkpoint(7, 2), BATCH, done("shutdownRequested")]
    assert tallies(house) == {"applied": 3}


def test_dead_letters_of_one_aggregated_record_are_apart() -> None:
    house = House()
    batch = process(record(7, b"poison"), record(7, b"poison too", sub=1))

    talk(house.consumer, initialize(), batch, checkpointed())

    assert sorted(letter.raw for letter in house.letters.letters.values()) == [b"poison", b"poison too"]


@pytest.mark.parametrize("broken", ["dead_letters.put", "players.apply", "progress.move", "progress.cutoff"])
def test_a_store_that_is_down_stops_the_shard(broken: str) -> None:
    """Rule 4: never skip."""

    def hook(operation: str, moment: str) -> None:
        if (operation, moment) == (broken, BEFORE):
            raise OSError(operation)

    house = House(hook)

    talked = talk(house.consumer, initialize(), process(seen(1, "A", 0), record(2, b"poison")), checkpointed())

    assert talked.said == [STARTED]
    assert talked.exit_code == 1
    assert CONSUMER not in house.progress.rows


def test_an_ended_shard_is_marked_before_its_checkpoint() -> None:
    house = House()
    ended: list[bool] = []

    def listen(line: Line) -> None:
        if line == checkpoint(None, None):
            ended.append(house.progress.rows[CONSUMER].ended)

    told = process(seen(1, "A", 0), seen(2, "A", 9)), checkpointed(), SHARD_ENDED, checkpointed()
    talked = talk(house.consumer, initialize(), *told, listen=listen)

    assert ended == [True]
    assert talked.said[-1] == done("shardEnded")
    assert house.progress.rows[CONSUMER].watermark == NOON + 9000


def test_an_idle_shards_progress_shows_that_it_lives() -> None:
    house = House()
    house.clock.now = NOON / 1000
    talk(house.consumer, initialize(), process())
    assert house.progress.rows[CONSUMER] == Progress(updated_at=NOON)


def changes(house: House) -> list[Record]:
    return [record(100 + number, data) for number, (_, data) in enumerate(house.players.stream)]


def test_the_aggregator_counts_once_and_checkpoints_last() -> None:
    house = House()
    for level, at in (("A", 0), ("A", 1), ("B", 2)):
        house.players.apply(LevelEvent("ann", level, at))
    batch = process(*changes(house), behind=None)

    first = talk(house.aggregator, initialize(), batch, checkpointed())
    again = talk(house.aggregator, initialize(), batch, checkpointed())

    assert first.said == again.said == [STARTED, checkpoint(102), BATCH]
    assert house.counts.levels() == {"A": LevelCount(0, 1, 1), "B": LevelCount(1, 1, 0)}
    assert house.progress.rows[AGGREGATOR].position == Position(102)


def test_the_aggregator_does_not_begin_behind_a_gap() -> None:
    """Rule 7: the checkpoint is further than what was counted."""
    house = House()

    talked = talk(house.aggregator, initialize("100"))

    assert talked.said == []
    assert talked.exit_code == 1


def test_what_is_no_record_of_player_state_stops_the_aggregator() -> None:
    house = House()

    talked = talk(house.aggregator, initialize(), process(record(1, b"{}")), checkpointed())

    assert talked.said == [STARTED]
    assert talked.exit_code == 1
