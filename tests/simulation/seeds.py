"""Seeds: each one is a schedule."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.simulation.actions import actions, brisk_actions, calm_actions, held_up
from tests.simulation.schedule import HOUR, Config, Schedule
from tests.simulation.traffic import traffic


def schedule(seed: int) -> Schedule:
    """The run of a seed."""
    random = Random(seed)
    config = replace(_config(random), pushed=Random(f"pushed {seed}").random() < 0.15)
    sent = traffic(random, config, Random(f"poison {seed}"), Random(f"ahead {seed}"))
    if config.calm:
        happens = calm_actions(random, sent)
    elif random.random() < 0.4:
        happens = brisk_actions(random, sent, losses=config.losses)
    else:
        happens = actions(random, losses=config.losses)
    if config.pushed and not config.calm:
        happens = held_up(Random(f"held {seed}"), happens)
    return Schedule(seed, config, sent, tuple(happens))


def _config(random: Random) -> Config:
    calm = random.random() < 0.1
    skewed = not calm and random.random() < 0.25
    crowd = not calm and random.random() < 0.1
    return Config(
        idle=60.0 if calm else random.choice((60.0, 60.0, 300.0)),
        lateness=random.choice((2.0, 10.0)),
        silence=random.choice((120.0, 600.0)),
        refresh=random.choice((0.5, 12.0) if calm else (0.5, 12.0, 60.0)),
        shards=random.choice((1, 2, 3)),
        table_shards=random.choice((1, 2)),
        prefetch=random.choice((0, 1, 2, 2)),
        page=random.choice((1, 3, 100)),
        most_items=None if crowd else random.choice((8, 12, None)),
        calm=calm,
        skews=tuple(random.choice((-HOUR, -60.0, 0.0, 60.0, HOUR)) for _ in range(3)) if skewed else (0.0,),
        lags=tuple(random.choice((0.0, 0.0, 0.2, 1.0, 2.0)) for _ in range(7)),
        batch=1000 if crowd else random.choice((20, 50, 50, 1000)),
        poison_run=0 if calm or random.random() < 0.8 else random.choice((1, 2, 3)),
        losses=not calm and random.random() < 0.15,
        crowd=crowd,
        transitions_kept=random.choice((3600, 604_800)),
        letters_kept=random.choice((3600, 2_592_000)),
    )
