"""Ten minutes without a consumer, or without events, empty nobody's map: rule 6. Default settings, simulated time."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from headcount.model import LevelCount, PlayerRow, Transition
from tests.simulation.ending import finish
from tests.simulation.invariants import assert_right
from tests.simulation.run import silently
from tests.simulation.schedule import HASHES, Config, Schedule, Sent
from tests.simulation.world import World

CONFIG = Config(300, 10, 600, 60, 2, 2, 1, 100, 100, calm=False, skews=(0.0,))
STEP, PASS = 5, 30  # seconds between two rounds, between two passes of the pruner
OUTAGE = range(900, 1500)
UNTIL = 3600
STAY = 6  # those from this number on play to the end
NOBODY = range(0)


def traffic(arrives: Callable[[int], float] = float) -> tuple[Sent, ...]:
    """Eight players, an event each 20 s, another level each 200 s; most leave for good, some of them amid the outage.

    ``arrives``: when the event of a time does. A player's events lie in one shard, so that each move is seen (rule 8).
    """
    sent = []
    for number, player in enumerate("abcdefgh"):
        for at in range(number, 600 + 300 * number if number < STAY else UNTIL, 20):
            key = number * 7919 % HASHES
            level = "KLMN"[(at // 200 + number) % 4]
            sent.append(Sent(arrives(at) + 0.2, at, key, "level", player, level))
    # Others, who have no level, go on, so that the stream's time does.
    sent += [Sent(arrives(at) + 0.2, at, key, "other") for at in range(0, UNTIL, 10) for key in (0, HASHES - 1)]
    return tuple(sorted(sent, key=lambda one: one.arrives))


def leaves(world: World) -> int:
    """How many rows were deleted so far."""
    return sum(1 for _, now in world.watching.moves if now is None)


@dataclass(frozen=True)
class Ended:
    """What stands in the tables in the end, and when whoever left was deleted, in s since the start."""

    players: dict[str, PlayerRow]
    levels: dict[str, LevelCount]
    transitions: dict[Transition, int]
    deleted_at: list[float]


def run(sent: tuple[Sent, ...], stopped: range = NOBODY) -> Ended:
    """All services work, but for the consumer in the seconds ``stopped``."""
    world = World(Schedule(0, CONFIG, sent, ()))
    begun = world.clock.now
    deleted_at: list[float] = []
    with silently():
        for now in range(0, UNTIL, STEP):
            world.wait(STEP)
            if now in stopped:
                world.kcl[0].kill_all()
            else:
                world.kcl[0].deliver_all(50)
            world.kcl[1].deliver_all(50)
            if now % PASS == 0:
                before = leaves(world)
                world.prune(0)
                deleted_at += [world.clock.now - begun] * (leaves(world) - before)
        finish(world)
        assert_right(world)
    return Ended(dict(world.players.all()), world.counts.levels(), dict(world.counts.transitions()), deleted_at)


@pytest.fixture(scope="module")
def undisturbed() -> Ended:
    """How it ends without an outage; and some do leave in the time of one."""
    ended = run(traffic())
    assert any(at in OUTAGE for at in map(int, ended.deleted_at))
    assert ended.players.keys() == {"g", "h"}
    return ended


def test_a_consumer_that_was_down_for_ten_minutes_catches_up_exactly(undisturbed: Ended) -> None:
    ended = run(traffic(), stopped=OUTAGE)

    assert not any(OUTAGE.start + 2 * PASS < at < OUTAGE.stop for at in ended.deleted_at)
    assert (ended.players, ended.levels, ended.transitions) == (
        undisturbed.players,
        undisturbed.levels,
        undisturbed.transitions,
    )


def test_a_source_that_was_silent_for_ten_minutes_is_caught_up_with_exactly(undisturbed: Ended) -> None:
    """A second less, to be exact: at 600 s by default the clock goes on."""
    last = OUTAGE.stop - 1.0
    ended = run(traffic(lambda at: last if at in OUTAGE else float(at)))

    assert not any(OUTAGE.start + 2 * PASS < at < last for at in ended.deleted_at)
    assert (ended.players, ended.levels, ended.transitions) == (
        undisturbed.players,
        undisturbed.levels,
        undisturbed.transitions,
    )
