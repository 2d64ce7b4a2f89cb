"""How a run ends: everything is read and counted; then a replay, a silence, or some days more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fakes.lines import NOON
from tests.simulation.broken import hold
from tests.simulation.losses import ROLL_SECONDS
from tests.simulation.schedule import AGGREGATOR, CONSUMER

if TYPE_CHECKING:
    from tests.simulation.world import World

MOST_ROUNDS = 400  # in so many a calm run must come to rest
DAYS = 3  # beyond what a DynamoDB stream keeps, and beyond the rows of its ended shards


def finish(world: World) -> None:
    """All records arrive and are read, by calm services; then one pass of the pruner, and its changes counted."""
    world.faults.disarm()
    for kcl in world.kcl:
        kcl.let_go()
    if world.unsent:
        world.wait(NOON / 1000 + world.unsent[-1].arrives - world.clock.now + 1)
    for kcl in world.kcl:
        for _ in range(3):
            for number in range(3):
                kcl.poll_zombie(number, 10)
        while any(lease.zombies for lease in kcl.leases.values()):
            kcl.tell(0)
    if world.poison_limit.run:
        _stop_at_poison(world)
    world.losses.rebuild(world.schedule.seed)  # maybe while the consumer still has much to write
    settle(world)


def settle(world: World) -> None:
    """Read everything to its end, drain, prune, count."""
    _read(world, CONSUMER)
    world.services.sweep(0).run()
    world.losses.mend()
    _read(world, AGGREGATOR)


def replay(world: World) -> None:
    """Read all that both streams hold once more, from TRIM_HORIZON: nothing may change."""
    before = {name: dict(world.client.tables[name].items) for name in ("PlayerState", "LevelState", "Transitions")}
    for kcl in world.kcl:
        kcl.begin_anew()
    _read(world, CONSUMER)
    _read(world, AGGREGATOR)
    for name, items in before.items():
        assert world.client.tables[name].items == items, f"rule 7: a replay changed {name}"


def fall_silent(world: World) -> None:
    """Nothing arrives any more, for so long that everybody has left."""
    config = world.schedule.config
    longest = config.idle + config.lateness + config.silence + 2 * max(map(abs, config.skews))
    for _ in range(3):
        world.clock.now += longest
        for _ in range(world.note_rounds):
            world.clock.now += 1
            world.kcl[CONSUMER].deliver_all(world.schedule.config.batch)
        world.services.sweep(0).run()
    settle(world)


def go_on_for_days(world: World) -> None:
    """Nothing arrives for some days, in which all services run: shards roll and are forgotten, rows expire.

    Then all happens once more.
    """
    for _ in range(round(DAYS * 86_400 / ROLL_SECONDS)):
        world.wait(ROLL_SECONDS)
        world.losses.roll_all()
        for _ in range(world.schedule.config.prefetch + 3):
            for kcl in world.kcl:
                kcl.deliver_all(world.schedule.config.batch)
        world.services.sweep(0).run()
        world.losses.forget()
        world.expire()
    offset = round(world.clock.now - NOON / 1000 + 1)
    world.unsent += [replace(one, arrives=one.arrives + offset, at=one.at + offset) for one in world.schedule.sent]
    world.run()
    finish(world)


def _stop_at_poison(world: World) -> None:
    """Rule 4: just the shards with too much of it in a row stand still; then a person raises the limit."""
    for _ in range(MOST_ROUNDS // 10):
        world.kcl[CONSUMER].deliver_all(world.schedule.config.batch)
    for lease in world.kcl[CONSUMER].available:
        runs = [one.run for one in world.watching.arrivals[lease.shard.shard_id]]
        is_too_much = max(runs, default=0) > world.poison_limit.run
        told = f"rule 4: {lease.shard.shard_id} is through: {lease.is_through}, poison in a row: {runs}"
        hold(lease.is_through != is_too_much, told)
    world.lift_poison_limit()


def _read(world: World, service: int) -> None:
    kcl = world.kcl[service]
    for _ in range(MOST_ROUNDS):
        kcl.deliver_all(world.schedule.config.batch)
        if service == AGGREGATOR and not world.losses.may_run():  # a worker has met a loss that nobody knew of
            world.losses.mend()
        elif kcl.rests:
            kcl.drain_all()
            return
    raise AssertionError("the services do not come to rest")
