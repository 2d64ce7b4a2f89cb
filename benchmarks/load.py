"""The standard load: who plays what and when, by a seed; and the records that Kinesis would hold of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING
from uuid import UUID
from zlib import crc32

from headcount.demo.tsv import APP_ID, LevelContext, make_line
from headcount.model import Position, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BEGIN_MS = 1_750_000_000_000
PIPELINE_MS = 150  # from the collector to Kinesis
SHARDS = 4


@dataclass(frozen=True)
class Shape:
    """Who plays how. ``per_minute``: a player's level events; ``hot_share``: players in the fullest level."""

    players: int = 2_000
    levels: int = 200
    events_per_level: int = 100
    per_minute: float = 20.0
    level_share: float = 0.6
    hot_share: float = 0.2
    seed: int = 7

    @property
    def events_per_second(self) -> float:
        """Of all players together, those without a level context too."""
        return self.players * self.per_minute / self.level_share / 60


STANDARD = Shape()


@dataclass(frozen=True, slots=True)
class Moment:
    """One event; ``level`` None: it has no level context."""

    at: int
    player: int
    level: int | None


class Levels:
    """Draws levels: the hot one as often as was said, the others the seldomer the higher their number."""

    def __init__(self, shape: Shape, rng: random.Random) -> None:
        others = [1 / number for number in range(1, shape.levels)]
        scale = (1 - shape.hot_share) / sum(others)
        self._weights = list(accumulate([shape.hot_share, *(weight * scale for weight in others)]))
        self._rng = rng

    def draw(self, but: int | None) -> int:
        """One level, any ``but`` that."""
        while True:
            level = self._rng.choices(range(len(self._weights)), cum_weights=self._weights)[0]
            if level != but:
                return level


def moments(shape: Shape, seconds: float, *, visits: int | None = None) -> list[Moment]:
    """All events of ``seconds``, in the order of their times.

    Players are met in the middle of a level. With ``visits`` each plays so many whole levels, however long it takes.
    """
    rng = random.Random(shape.seed)
    levels = Levels(shape, rng)
    found: list[Moment] = []
    interval = 60_000 * shape.level_share / shape.per_minute
    end = BEGIN_MS + seconds * 1000
    for player in range(shape.players):
        at = BEGIN_MS + rng.uniform(0, interval)
        left, level = rng.randint(1, shape.events_per_level), levels.draw(None)
        made = 0
        if visits is not None:
            at, left, end = at + rng.uniform(0, 60_000), shape.events_per_level, float("inf")
        while at < end:
            in_level = rng.random() < shape.level_share
            if in_level and left == 0:
                made += 1
                if made == visits:
                    break
                left, level = shape.events_per_level, levels.draw(level)
            if in_level:
                left -= 1
            found.append(Moment(round(at), player, level if in_level else None))
            at += interval * rng.uniform(0.5, 1.5)
    found.sort(key=lambda moment: moment.at)
    return found


def shard_of(moment: Moment, rng: random.Random, *, stable: bool, shards: int = SHARDS) -> int:
    """Where Kinesis puts an event: by its player, or anywhere."""
    return crc32(b"%d" % moment.player) % shards if stable else rng.randrange(shards)


def on_shard(
    found: Iterable[Moment], shard: int, *, stable: bool, shards: int = SHARDS, seed: int = 7
) -> Iterator[Moment]:
    """The events of one shard of so many."""
    rng = random.Random(seed)
    return (moment for moment in found if shard_of(moment, rng, stable=stable, shards=shards) == shard)


def line(moment: Moment, number: int) -> bytes:
    """The enriched event, 1.9 kB on the average."""
    context = None
    if moment.level is not None:
        slug = level_id(moment.level)
        context = LevelContext(player_id(moment.player), slug, slug.replace("-", " ").title(), "dungeon", "s" * 24)
    return make_line(
        number,
        app_id=APP_ID,
        at=moment.at,
        event_id=str(UUID(int=number + 2**100)),
        domain_userid=str(UUID(int=moment.player + 2**101)),
        context=context,
    )


def player_id(player: int) -> str:
    """As long as the game's."""
    return f"{player + 2**90:024x}"


def level_id(level: int) -> str:
    """As long as a usual one."""
    return f"dungeons-of-kithgard-{level}"


def records(found: Iterable[Moment]) -> list[Record]:
    """The events as one shard holds them."""
    return [record(line(moment, n), n, moment.at + PIPELINE_MS) for n, moment in enumerate(found, start=1)]


def record(data: bytes, number: int, arrived_at: int) -> Record:
    """The shard's record of that number."""
    sequence = 49_600_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000 + number
    return Record(Position(sequence), str(sequence), data, arrived_at)
