"""What a game does, and how Headcount is set: all that its cost depends on (pure)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headcount.settings import Settings

SHARD_RECORDS, SHARD_KILOBYTES = 1000, 1000  # what a shard of Kinesis takes in a second
SHARD_USE = 0.8  # more than that at an average load leaves nothing for an evening's peak
LEAST_SHARDS = 2
MOST_ROWS = 50_000_000  # of PlayerState, for which the pruner's scan and the tasks' sizes hold


class ImpossibleLoadError(Exception):
    """The figures contradict each other; the message is for a person."""


@dataclass(frozen=True)
class Load:
    """A game's traffic. ``players``: rows of PlayerState at a time; ``stream_shards``: of PlayerState's stream.

    Level events come at random moments, a player moves on after any of them with the same chance, and so does one who
    leaves: what a game really does differs, but the sums hardly depend on it.
    """

    events_per_second: float
    players: int
    levels: int = 200
    shards: int = 0  # 0: as many as the events need
    level_share: float = 0.6
    events_per_level: float = 100
    events_per_minute_and_player: float = 0  # 0: what is left for each of the players
    session_minutes: float = 30
    hot_level_share: float = 0.2
    event_kilobytes: float = 1.9
    stable_keys: bool = False
    stream_shards: int = 4

    def __post_init__(self) -> None:
        """Raise `ImpossibleLoadError` where the figures contradict each other."""
        for name, value in asdict(self).items():
            if math.isnan(value) or (math.isinf(value) and name != "session_minutes"):
                raise ImpossibleLoadError(f"{name.replace('_', ' ')} can't be {value}.")
        if self.playing > self.players * 1.001:
            raise ImpossibleLoadError(
                f"{self.level_events:g} level events a second at {self.pace:g} a minute and player are of "
                f"{self.playing:.0f} players at once, more than the {self.players} there are. "
                "Give more players, or more events per minute and player."
            )
        if self.events_per_session < self.events_per_level:
            raise ImpossibleLoadError(
                f"A session of {self.session_minutes:g} min at {self.pace:g} level events a minute has "
                f"{self.events_per_session:.0f} of them, fewer than the {self.events_per_level:g} of one level. "
                "Give longer sessions, or fewer events per level."
            )

    @property
    def level_events(self) -> float:
        """A second."""
        return self.events_per_second * self.level_share

    @property
    def pace(self) -> float:
        """Level events a minute of one who plays."""
        return self.events_per_minute_and_player or self.level_events * 60 / self.players

    @property
    def playing(self) -> float:
        """Players who send level events at a time."""
        return self.level_events * 60 / self.pace

    @property
    def events_per_session(self) -> float:
        """Level events from coming to leaving."""
        return self.session_minutes * self.pace

    @property
    def full_shards(self) -> float:
        """Of the events' stream, if each took all that a shard can take."""
        kilobytes = self.events_per_second * self.event_kilobytes
        return max(self.events_per_second / SHARD_RECORDS, kilobytes / SHARD_KILOBYTES)

    @property
    def kinesis_shards(self) -> int:
        """As told, or as the events need."""
        return self.shards or max(LEAST_SHARDS, math.ceil(self.full_shards / SHARD_USE))

    def notes(self) -> list[str]:
        """Where the figures don't hold, or the game won't run."""
        found = []
        if self.full_shards > self.kinesis_shards:
            found.append(
                f"Note: {self.kinesis_shards} shards can't take these events, 1,000 of them or 1 MB a second each: "
                f"give {math.ceil(self.full_shards / SHARD_USE)} shards, or 0 for as many as the events need."
            )
        if self.players > MOST_ROWS:
            found.append(
                f"Note: beyond {MOST_ROWS:,} players neither the pruner's one scan nor the tasks' sizes hold: "
                "these figures are too low."
            )
        return found

    @property
    def entries(self) -> float:
        """Players who come, and who leave, a second."""
        return self.level_events / self.events_per_session

    @property
    def moves(self) -> float:
        """From one level to another, a second."""
        return self.level_events / self.events_per_level - self.entries


@dataclass(frozen=True)
class Pace:
    """How often Headcount does what it does, in s, and how long it keeps transitions and history."""

    refresh: float
    poll: float
    prune: float
    audit: float
    failover: float
    transitions_kept: float
    history_kept: float

    @classmethod
    def of(cls, settings: Settings, refresh: float | None = None) -> Pace:
        """As the settings say; ``refresh``: another one."""
        return cls(
            refresh or settings.refresh_seconds,
            settings.poll_milliseconds / 1000,
            settings.prune_interval_seconds,
            settings.audit_interval_seconds,
            settings.failover_seconds,
            settings.transitions_retention_seconds,
            settings.history_retention_seconds,
        )
