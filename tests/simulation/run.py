"""One schedule from its beginning to its end, and what it broke."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from tests.simulation.broken import BrokenError
from tests.simulation.ending import fall_silent, finish, go_on_for_days, replay
from tests.simulation.invariants import assert_every_move_was_seen, assert_nobody_is_left, assert_right
from tests.simulation.seeds import schedule
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.schedule import Schedule


def failure_of(one: Schedule) -> str | None:
    """What the schedule breaks (the invariant and where); None: nothing."""
    try:
        _run(one)
    except (Exception, BrokenError) as error:  # noqa: BLE001 (whatever it is, the schedule has brought it to light)
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return None


def _run(one: Schedule) -> None:
    world = World(one)
    world.run()
    finish(world)
    assert_right(world)
    if one.config.calm:
        assert_every_move_was_seen(world)
    match one.seed % 6:
        case 0 | 3:
            replay(world)
        case 1 | 4:
            fall_silent(world)
            assert_nobody_is_left(world)
        case 2:
            go_on_for_days(world)
    assert_right(world)


@contextmanager
def silently() -> Iterator[None]:
    """Without log lines."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("CRITICAL"))
    try:
        yield
    finally:
        structlog.reset_defaults()


def failures(seeds: range) -> list[tuple[int, str]]:
    """The seeds that fail, and what each breaks."""
    with silently():
        found = ((seed, failure_of(schedule(seed))) for seed in seeds)
        return [(seed, failure) for seed, failure in found if failure is not None]
