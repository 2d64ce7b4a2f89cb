"""The records of a simulated run: players who play, fall silent for about the idle timeout, and return."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.simulation.schedule import HASHES, HOUR, Config, Kind, Sent

if TYPE_CHECKING:
    from random import Random

LEVELS = ("K", "L/K", "K/L", "M%2FN", "M/N")


def traffic(random: Random, config: Config, poison: Random, ahead: Random) -> tuple[Sent, ...]:
    """All records, in the order in which they arrive; most of them as they should.

    ``poison`` and ``ahead`` decide only about what they are named after.
    """
    levels = LEVELS[: random.randint(2, 5)]
    by_player = config.calm or random.random() < 0.4
    whole = not config.calm and random.random() < 0.3  # seconds, so that times meet
    length = random.choice((120.0, 600.0, 1800.0))
    sent: list[Sent] = []
    for number in range(random.randint(1, 5)):
        player, level, now = "abcde"[number], random.choice(levels), random.uniform(0, length / 2)
        key = random.randrange(HASHES)
        for _ in range(random.randint(2, 14)):
            sent.append(_record(random, config, player, level, now, key if by_player else random.randrange(HASHES)))
            if not config.calm and random.random() < 0.1:  # the producer's retry
                sent.append(sent[-1])
            if random.random() < 0.4:
                level = random.choice(levels)
            now += _pause(random, config, length)
            now = round(now) if whole else now
    for _ in range(random.randint(0, 6)):
        at = random.uniform(0, length)
        kind: Kind = "other" if config.calm or random.random() < 0.6 else "poison"
        arrives, aggregated = round(at + random.uniform(0, 2), 1), random.random() < 0.3
        sent += [
            Sent(arrives, round(at, 1), random.randrange(HASHES), kind),
            Sent(arrives, round(at, 1), random.randrange(HASHES), kind, aggregated=aggregated),
        ]
    sent += _crowd(random, length) if config.crowd else []
    sent += _poison_in_a_row(random, length) if not config.calm and random.random() < 0.2 else []
    sent += _runs_at_the_limit(poison, config, length) if config.poison_run else []
    sent += _others_ahead(ahead, length) if not config.calm and ahead.random() < 0.15 else []
    end = int(max(one.arrives for one in sent))
    keys = [HASHES * number // config.shards for number in range(config.shards)]
    if config.calm:  # others play on, on every shard, so that the stream's time goes on
        sent += [
            Sent(at + 0.1, float(at), key, "other") for at in range(0, end + 2 * int(config.idle), 5) for key in keys
        ]
    elif random.random() < 0.7:
        step = random.choice((7, 20, 45))
        beats = range(0, min(end, 40 * step), step)
        sent += [Sent(at + 0.1, float(at), random.randrange(HASHES), "other") for at in beats]
    ordered = sorted(sent, key=lambda one: one.arrives)
    return tuple(_outage(random, config, ordered) if not config.calm and random.random() < 0.4 else ordered)


def _outage(random: Random, config: Config, sent: list[Sent]) -> list[Sent]:
    """Enrich is down for a while, and then delivers what was collected meanwhile, by collectors with right clocks.

    One that is ahead would stand out by the whole outage there: it is clamped to its arrival only.
    """
    before = random.randrange(len(sent))
    begin = sent[before].arrives
    end = round(begin + random.uniform(0.5, 0.95) * config.silence, 1)
    up = [one for one in sent if not begin < one.arrives <= end]
    kept = [
        replace(
            one,
            arrives=end,
            at=min(one.at, one.arrives),
            kept_up=one.arrives - one.at <= config.lateness,
        )
        for one in sent
        if begin < one.arrives <= end
    ]
    return sorted([*up, *kept], key=lambda one: one.arrives)


def _crowd(random: Random, length: float) -> list[Sent]:
    """So many players in so many levels that a transaction can't hold all that a batch says."""
    sent = []
    for number in range(random.randint(30, 90)):
        at, key = round(random.uniform(0, length), 1), random.randrange(HASHES)
        for _ in range(random.randint(1, 3)):
            sent.append(Sent(at, at, key, "level", f"{chr(97 + number % 26)}{number}", f"R{random.randrange(60)}"))
            at = round(at + random.uniform(1, 300), 1)
    return sent


def _poison_in_a_row(random: Random, length: float) -> list[Sent]:
    at, key = round(random.uniform(0, length), 1), random.randrange(HASHES)
    return [Sent(at, at, key, random.choice(("poison", "poison", "poison", "other"))) for _ in range(9)]


def _runs_at_the_limit(random: Random, config: Config, length: float) -> list[Sent]:
    """Now and then as much poison in a row as is just borne: counted twice, it would not be."""
    sent = []
    for _ in range(random.randint(2, 8)):
        at, key = round(random.uniform(0, length), 1), random.randrange(HASHES)
        sent += [*[Sent(at, at, key, "poison")] * config.poison_run, Sent(at, at, key, "other")]
    return sent


def _others_ahead(random: Random, length: float) -> list[Sent]:
    """Events that change no player, of a collector whose clock is ahead."""
    arrivals = [round(random.uniform(0, length), 1) for _ in range(random.randint(1, 3))]
    return [Sent(at, at + random.choice((3.0, 30.0, HOUR)), random.randrange(HASHES), "other") for at in arrivals]


def _pause(random: Random, config: Config, length: float) -> float:
    choice = random.random()
    if choice < 0.08:
        return 0.0  # two levels at the same millisecond
    if choice < 0.7:
        return random.uniform(0.2, min(20.0, length / 10))
    if config.calm:
        return 2 * (config.idle + config.lateness + config.refresh) + random.uniform(60, 90)
    return config.idle + random.choice((-5.0, -config.lateness, 0.0, config.lateness, 1.0, 15.0, 30.0, 45.0))


def _record(random: Random, config: Config, player: str, level: str, at: float, key: int) -> Sent:
    delay, stamp = random.choice((random.uniform(0, config.lateness), config.lateness)), at
    choice = random.random()
    if config.calm:
        delay = 0.1
    elif choice < 0.08:
        left = config.idle + config.lateness
        delay = random.choice((30.0, config.idle, left, left + 0.1, left + 5, HOUR))  # late
    elif choice < 0.12:
        stamp = at + random.choice((3.0, 30.0, HOUR))  # a collector's clock that is ahead
    elif choice < 0.16:
        stamp = at - random.choice((30.0, HOUR))
    aggregated = not config.calm and random.random() < 0.1
    return Sent(round(at + delay, 1), round(stamp, 1), key, "level", player, level, aggregated)
