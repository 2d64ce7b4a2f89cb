"""10,000 broken records through the real handler: no crash, and each ends as exactly what the SDK and the rules say.

``FUZZ_SEED`` and ``FUZZ_RECORDS`` choose others: ``FUZZ_SEED=7 pytest tests/property/test_record_path_fuzz.py``.
Rules 1, 4, 5 and 6; invariants I3 and I5.
"""

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
import structlog

from headcount.model import IgnoredEvent, LevelEvent, Outcome, PlayerRow, Position, Record
from headcount.rules import clamped, is_late
from tests.fakes.lines import record
from tests.fakes.wiring import STREAM, House
from tests.property.mutations import mutated
from tests.property.sdk_oracle import Verdict, expected

SEED = int(os.environ.get("FUZZ_SEED", "1"))
RECORDS = int(os.environ.get("FUZZ_RECORDS", "10000"))
ROUNDS = 10  # each in a house of its own, so that little lies in memory
WORKER = f"consumer/{STREAM}/shard-1"
COLUMNS = 131


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("CRITICAL"))
    yield
    structlog.reset_defaults()


def verdict(data: bytes) -> Verdict:
    """Without the reader: what is no line of 131 columns is poison; the rest, the SDK and the rules know."""
    if not data:
        return "empty"
    try:
        line = data.decode()
    except UnicodeDecodeError:
        return "bad_utf8"
    return expected(line)[1] if line.count("\t") == COLUMNS - 1 else "column_count"


def outcome(found: Verdict, arrived_at: int, cutoff: int) -> str:
    """How a record must end; what is applied and what is stale together, since that depends on the others."""
    if isinstance(found, str):
        return Outcome.DEAD_LETTERED.value
    if isinstance(found, IgnoredEvent):
        return Outcome.IGNORED.value
    return Outcome.LATE.value if is_late(clamped(found.at, arrived_at), cutoff) else "event"


def deliver(random: Random, house: House, records: list[Record]) -> None:
    """In batches of any size, to a worker that is now and then replaced and gets some of it again."""
    at, handler = 0, house.consumer("shard-1")
    handler.start(None)
    while at < len(records):
        batch = records[at : at + random.choice((1, 30, 300))]
        handler.handle(batch, caught_up=False)
        at += len(batch)
        house.clock.now += random.choice((0, 1, 70))
        place = handler.settle(everything=random.random() < 0.2)
        if random.random() < 0.05:
            stands = house.progress.rows[WORKER].position if place else None
            at = stands.sequence if stands else 0
            handler = house.consumer("shard-1")
            handler.start(stands)
    handler.settle(everything=True)


@pytest.mark.parametrize("part", range(ROUNDS))
def test_every_broken_record_ends_as_exactly_one_outcome(part: int) -> None:
    seed = f"{SEED}-{part}"
    print(f"FUZZ_SEED={SEED} FUZZ_RECORDS={RECORDS}, part {part}")  # noqa: T201 (pytest shows it with a failure)
    random = Random(seed)
    lines = [mutated(random) for _ in range(RECORDS // ROUNDS)]
    verdicts = [verdict(line) for line in lines]
    times = sorted(found.at for found in verdicts if isinstance(found, LevelEvent))
    cutoff, arrived_at = times[len(times) // 5], times[len(times) * 4 // 5]
    house = House()
    house.progress.publish(stream_time=None, cutoff=cutoff, held_back="", updated_at=0)
    records = [record(number, line, arrived_at) for number, line in enumerate(lines, 1)]

    deliver(random, house, records)

    tallies = Counter(house.progress.rows[WORKER].tallies)
    events = tallies.pop(Outcome.APPLIED, 0) + tallies.pop(Outcome.STALE, 0)
    wanted = Counter(outcome(found, arrived_at, cutoff) for found in verdicts)
    assert (tallies | Counter(event=events)) == wanted, seed
    assert tallies.total() + events == len(lines)
    assert set(wanted) == {"dead_lettered", "ignored", "late", "event"}, "the mutations have become too tame"
    assert house.progress.rows[WORKER].position == Position(len(lines))

    letters = {int(one.sequence_number): (one.reason, one.raw) for one in house.letters.letters.values()}
    poison = {number: (found, lines[number - 1]) for number, found in enumerate(verdicts, 1) if isinstance(found, str)}
    assert letters.keys() == poison.keys()
    for number, letter in letters.items():
        assert letter == poison[number], f"{seed}, record {number}"
    assert len(letters) == len(house.letters.letters)

    rows: dict[str, tuple[int, str]] = {}
    for found in verdicts:
        if isinstance(found, LevelEvent) and (at := clamped(found.at, arrived_at)) >= cutoff:
            rows[found.player] = max(rows.get(found.player, (0, "")), (at, found.level))
    assert house.players.rows == {player: PlayerRow(level, at) for player, (at, level) in rows.items()}, seed
