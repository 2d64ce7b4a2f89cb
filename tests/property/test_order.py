"""Whatever the order, the duplicates, the shards, the crashes and the zombies: the same rows and exact counts.

The production handlers work on tables in memory; `tests.fakes.world` delivers, crashes and steals as hypothesis says.
Invariants by their numbers in ``docs/semantics.md``.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.audit import Moves, differences
from headcount.model import Outcome, PlayerRow, Progress
from headcount.rules import CLOCK_SKEW_MS, transition_of
from level_aggregator.stream_record import read_change
from tests.fakes.lines import NOON
from tests.fakes.wiring import IDLE_MS, STREAM
from tests.fakes.world import FIRST, SECOND, SILENT_UNTIL, Sent, Step, World

EVENTS = st.tuples(st.sampled_from("abc"), st.sampled_from("XYZ"), st.integers(0, 12).map(lambda n: n * 10))
SENT = st.builds(
    Sent,
    kind=st.sampled_from(("level", "level", "level", "level", "other", "poison")),
    event=EVENTS,
    shard=st.integers(0, 2),
    arrived=st.sampled_from((120, 120, 120, 60, 0)),
)
SHARDS, AMOUNTS = st.integers(0, 2), st.sampled_from((3, 8, 5, 1, 0))
CALM = st.builds(
    Step,
    what=st.sampled_from(("deliver", "take over", "zombie", "cutoff", "prune", "steal", "restart", "drain", "wait")),
    service=st.integers(0, 1),
    shard=SHARDS,
    amount=AMOUNTS,
)
DISTURBED = st.builds(
    Step,
    what=st.sampled_from(("deliver", "zombie", "drain")),
    service=st.integers(0, 1),
    shard=SHARDS,
    amount=AMOUNTS,
    fault=st.sampled_from(("meanwhile", "crash", "lost answer", "conflict")),
    fault_at=st.integers(0, 8),
    inner=CALM,
)
STEPS = st.lists(CALM | DISTURBED, min_size=20, max_size=40)


@pytest.fixture(scope="module", autouse=True)
def _silent() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("CRITICAL"))
    yield
    structlog.reset_defaults()


def clamped(sent: Sent) -> int:
    """Rule 5."""
    return NOON + min(sent.event[2] * SECOND, sent.arrived * SECOND + CLOCK_SKEW_MS)


def greatest(sent: list[Sent], cutoff: int | None) -> dict[str, PlayerRow]:
    """What PlayerState must hold in the end (rules 1, 5, 6)."""
    rows: dict[str, tuple[int, str]] = {}
    for one in sent:
        (player, level, _), at = one.event, clamped(one)
        if one.kind == "level" and (cutoff is None or at >= cutoff):
            rows[player] = max(rows.get(player, (0, "")), (at, level))
    return {player: PlayerRow(level, at) for player, (at, level) in rows.items()}


def assert_rows_are_the_greatest_events(world: World) -> None:
    """I3, and rule 1."""
    cutoff = world.house.progress.cutoff().cutoff
    assert world.house.players.rows == greatest(list(world.sent), cutoff)


def assert_counts_are_exact(world: World) -> None:
    """I1, I2 and I4; and each change of PlayerState was counted once."""
    house = world.house
    recount = Counter(row.level for row in house.players.rows.values())
    assert differences(recount, house.counts.levels(), Moves.of(house.counts.made.items())) == []
    changes = [transition_of(read_change(data), IDLE_MS) for _, data in house.players.stream]
    assert house.counts.made == Counter(change for change in changes if change is not None)


def assert_tallies_add_up(world: World) -> None:
    """I5, per shard; and a dead letter for each poison record."""
    for lease in world.services[0].shards:
        row = world.house.progress.rows.get(f"consumer/{STREAM}/{lease.shard}", Progress())
        assert sum(row.tallies.values()) == len(lease.records)
        assert row.tallies.keys() <= set(Outcome)
    total: Counter[str] = Counter()
    for row in world.house.progress.read_all("consumer/").values():
        total.update(row.tallies)
    kinds = Counter(sent.kind for sent in world.sent)
    assert total["ignored"] == kinds["other"]
    assert total["dead_lettered"] == kinds["poison"] == len(world.house.letters.letters)
    assert total["applied"] + total["stale"] + total["late"] == kinds["level"]


def assert_progress_never_went_back(world: World) -> None:
    """I6."""
    for history in world.house.progress.history.values():
        for name in ("position", "watermark", "settled", "arrived_at", "caught_up_at"):
            values = [value for row in history if (value := getattr(row, name)) is not None]
            assert values == sorted(values), name


def assert_what_progress_covers_is_written(world: World) -> None:
    """Rule 3, at any moment; and the watermark is the greatest time of what is covered, unless taken from a silence."""
    cutoff, rows = world.house.progress.cutoff().cutoff or 0, world.house.players.rows
    for shard, row in world.house.progress.read_all(f"consumer/{STREAM}/").items():
        lease = next(lease for lease in world.services[0].shards if lease.shard == shard)
        times = []
        for read in lease.records:
            if row.position is None or read.position > row.position:
                break
            sent = world.sent[read.position.sequence - FIRST]
            times += [clamped(sent)] if sent.kind != "poison" else []
            seen = rows.get(sent.event[0])
            written = seen is not None and (seen.at, seen.level) >= (clamped(sent), sent.event[1])
            assert written or sent.kind != "level" or clamped(sent) < cutoff
        assert row.watermark == max(times, default=None) or (row.watermark or 0) >= SILENT_UNTIL


def check(world: World) -> None:
    assert_what_progress_covers_is_written(world)
    assert_rows_are_the_greatest_events(world)
    assert_counts_are_exact(world)
    assert_tallies_add_up(world)
    assert_progress_never_went_back(world)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(sent=st.lists(SENT, max_size=25), batch=st.integers(1, 9), refresh=st.sampled_from((0.5, 60.0)))
def test_any_order_any_duplicate_any_split_gives_the_same_rows(sent: list[Sent], batch: int, refresh: float) -> None:
    world = World(sent, refresh)
    for _ in range(len(sent)):
        for shard in range(3):
            world.run(Step("deliver", 0, shard, batch))
        world.house.clock.now += 1

    world.finish()

    check(world)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(sent=st.lists(SENT, min_size=8, max_size=25), steps=STEPS, refresh=st.sampled_from((0.5, 60.0)))
def test_crashes_lost_answers_and_zombies_change_nothing(sent: list[Sent], steps: list[Step], refresh: float) -> None:
    world = World(sent, refresh)
    for step in steps:
        world.run(step)
        assert_what_progress_covers_is_written(world)
        assert all(count.players >= 0 for count in world.house.counts.levels().values())  # I2, at any moment

    world.finish()

    check(world)
    world.finish()  # a crash just before the ends were checkpointed
    check(world)
