"""Schedules from their beginning to their end, one or many, and what they broke."""

from __future__ import annotations

import gc
import multiprocessing
import os
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from headcount.kcl.worker import GC_THRESHOLDS
from tests.simulation.broken import BrokenError
from tests.simulation.ending import fall_silent, finish, go_on_for_days, replay
from tests.simulation.invariants import assert_every_move_was_seen, assert_nobody_is_left, assert_right
from tests.simulation.seeds import schedule
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.schedule import Schedule


CHUNK = 5  # seeds that a process takes at a time
PROCESSES = os.cpu_count() or 1


@dataclass
class Ran:
    """What became of some seeds."""

    seeds: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)  # the seed, and what it broke
    fired: Counter[tuple[str, str]] = field(default_factory=Counter)  # faults that broke in, by fault and operation
    losses: int = 0  # times that changes were lost to the counts
    rebuilds: int = 0

    def add(self, other: Ran) -> None:
        """What became of others."""
        self.seeds += other.seeds
        self.failed += other.failed
        self.fired += other.fired
        self.losses += other.losses
        self.rebuilds += other.rebuilds


def failure_of(one: Schedule, ran: Ran | None = None) -> str | None:
    """What the schedule breaks (the invariant and where); None: nothing. What happened in it is added to ``ran``."""
    try:
        world = World(one)
        _run(one, world)
    except (Exception, BrokenError) as error:  # noqa: BLE001 (whatever it is, the schedule has brought it to light)
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    if ran is not None:
        ran.add(Ran(fired=world.faults.fired, losses=world.losses.times, rebuilds=world.losses.rebuilds))
    return None


def _run(one: Schedule, world: World) -> None:
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


def run(seeds: range) -> Ran:
    """One after the other."""
    ran = Ran(len(seeds))
    with silently():
        for seed in seeds:
            failure = failure_of(schedule(seed), ran)
            if failure is not None:
                ran.failed.append((seed, failure))
    return ran


def run_chunks(seeds: range, processes: int = PROCESSES) -> Iterator[Ran]:
    """The same over several processes, a few seeds at a time, in the order in which they end.

    Raises `concurrent.futures.process.BrokenProcessPool` where one is killed.
    """
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    pool = ProcessPoolExecutor(min(processes, len(chunks)), multiprocessing.get_context("fork"), _collect_less)
    try:
        for ended in as_completed([pool.submit(run, chunk) for chunk in chunks]):
            yield ended.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _collect_less() -> None:
    """Nothing of what was there before, and the rest as seldom as our workers do."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
