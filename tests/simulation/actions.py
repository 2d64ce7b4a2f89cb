"""The actions of a simulated run: calm ones, brisk ones with some faults, and a wild mix."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.simulation.schedule import AGGREGATOR, CONSUMER, Action, Fault, Sent

if TYPE_CHECKING:
    from random import Random

# What may happen and how often; the second group only amid something else too.
_CALM = (
    ("poll", 36),
    ("poll zombie", 8),
    ("prune", 8),
    ("cut short", 2),
    ("wait", 16),
    ("round", 12),
    ("rounds", 3),
    ("ttl", 1),
    ("meet the cutoff", 4),
)
_ROUGH = (
    ("steal", 6),
    ("take over", 5),
    ("tell", 4),
    ("kill", 4),
    ("kill all", 1),
    ("drain", 3),
    ("split", 1),
    ("merge", 1),
    ("roll", 2),
    ("expire", 1),
)
# Only where changes may be lost.
_LOSSES = (("lose progress", 5), ("day off", 1), ("rebuild", 6))
# What a fault may break in upon; in the last two only upon what comes after.
FAILING = {"poll", "poll zombie", "prune", "cut short", "drain", "rebuild", "day off", "lose progress"}
# What a fault may wait for; the aggregator's transactions are rare, and matter most.
WRITES = (
    "update_item",
    "put_item",
    "batch_execute_statement",
    "statement",
    "transact_write_items",
    "transact_write_items",
    "checkpoint",
)
MOST_BRISK = 150
_PRUNING = {"prune", "cut short"}

_WAITS = (0.0, 0.3, 1.0, 2.0, 5.0, 5.0, 15.0, 40.0, 120.0)
_LONG_WAITS = (300.0, 610.0, 1300.0)


def calm_actions(random: Random, sent: tuple[Sent, ...]) -> list[Action]:
    """Nothing fails, everything is read at once; the pruner passes often."""
    end = max((one.arrives for one in sent), default=0.0)
    made: list[Action] = []
    now = 0.0
    while now < end + 1:
        step = random.choice((5.0, 10.0))
        now += step
        made += [
            Action("wait", seconds=step),
            Action("round", amount=50),
            Action("prune"),
            Action("round", amount=50),
        ]
    return made


def brisk_actions(random: Random, sent: tuple[Sent, ...], *, losses: bool) -> list[Action]:
    """Records are read soon after they arrive, so that players are pruned while others return; some things fail."""
    names, weights = zip(*_CALM, *_ROUGH, *(_LOSSES if losses else ()), strict=True)
    made: list[Action] = []
    now, step = 0.0, random.choice((3.0, 11.0, 25.0))
    while sent and now < sent[-1].arrives and len(made) < MOST_BRISK:
        wait = random.uniform(0, 2 * step)
        now += wait
        made.append(Action("wait", seconds=round(wait, 1)))
        made += [Action("round", amount=random.choice((3, 30)))] * random.choice((0, 1, 1, 2))
        if random.random() < 0.6:
            action = Action(random.choice(("prune", "prune", "prune", "cut short")), number=random.randrange(3))
            made.append(_disturbed(random, action, names, weights) if random.random() < 0.6 else action)
        if random.random() < 0.3:
            action = _action(random, names, weights, long_waits=False)
            can_fail = action.what in FAILING and random.random() < 0.5
            made.append(_disturbed(random, action, names, weights) if can_fail else action)
    return made


def actions(random: Random, *, losses: bool) -> list[Action]:
    """Anything, in any order."""
    rough = random.choice((0.5, 1.0, 2.0))
    rare = (*_ROUGH, *(_LOSSES if losses else ()))
    names, weights = zip(*_CALM, *((name, weight * rough) for name, weight in rare), strict=True)
    fault_share = random.choice((0.05, 0.2, 0.4))
    long_waits = random.random() < 0.4
    made: list[Action] = []
    for _ in range(random.randint(20, 90)):
        action = _action(random, names, weights, long_waits=long_waits)
        if action.what in FAILING and random.random() < fault_share:
            action = _disturbed(random, action, names, weights)
        made.append(action)
    return made


def held_up(random: Random, happens: list[Action]) -> list[Action]:
    """The same, with a consumer's worker held up now and then, for less time than the daemon takes it for stuck."""
    for _ in range(random.randint(2, 8)):
        action = Action("hold", number=random.randrange(6), seconds=random.choice((20.0, 60.0, 120.0, 250.0)))
        happens.insert(random.randrange(len(happens) + 1), action)
    return happens


def _action(random: Random, names: tuple[str, ...], weights: tuple[float, ...], *, long_waits: bool) -> Action:
    what = random.choices(names, weights)[0]
    waits = _WAITS + _LONG_WAITS if long_waits and random.random() < 0.3 else _WAITS
    return Action(
        what,
        service=random.choice((CONSUMER, CONSUMER, AGGREGATOR)),
        number=random.randrange(6),
        amount=random.choice((0, 1, 2, 4, 9, 30)),
        seconds=random.choice(waits) if what == "wait" else 0.0,
    )


def _disturbed(random: Random, action: Action, names: tuple[str, ...], weights: tuple[float, ...]) -> Action:
    fault: Fault = random.choice(("crash", "crash", "meanwhile", "meanwhile", "throttle", "conflict", "lost", "again"))
    if action.what in _PRUNING and random.random() < 0.5:
        fault = "meanwhile"
    # Time goes on amid a call, but not for so long that the KCL would have ended the worker.
    inner = _action(random, names, weights, long_waits=False) if fault == "meanwhile" else None
    if inner is not None and action.what in _PRUNING and random.random() < 0.7:
        inner = Action("round", amount=30)
    amid = random.choice(("", "delete_item") if action.what in _PRUNING else ("", "", *WRITES))
    return replace(
        action,
        fault=fault,
        fault_at=random.choice((0, 0, 1, 2)) if amid else random.choice((0, 1, 2, 3, 4, 6, 9, 14, 19)),
        amid=amid,
        inner=inner,
    )
