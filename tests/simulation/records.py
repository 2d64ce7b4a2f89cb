"""What a schedule's records and settings are in a world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headcount.settings import Settings
from tests.fakes.lines import NOON, event_line, other_line
from tests.simulation.schedule import HASHES

if TYPE_CHECKING:
    from headcount.model import Position
    from tests.simulation.schedule import Config, Sent


IDENTITY = "events@1"  # of the events' stream
TABLE_IDENTITY = "PlayerState@1"  # of PlayerState's


@dataclass(frozen=True)
class Arrived:
    """A record that is on the stream; ``at``: its time, clamped (rule 5), in ms; ``late``: already as it came.

    ``run``: so many records in a row up to this one are poison.
    """

    position: Position
    arrived_at: int
    data: bytes
    sent: Sent
    at: int
    late: bool
    run: int


def settings_of(config: Config) -> Settings:
    """The settings that a run's services see."""
    return Settings(
        idle_timeout_seconds=config.idle,
        allowed_lateness_seconds=config.lateness,
        max_silence_seconds=config.silence,
        refresh_seconds=config.refresh,
        transitions_retention_seconds=config.transitions_kept,
        dead_letter_retention_seconds=config.letters_kept,
        poison_run_limit=config.poison_run,
    )


def at_of(sent: Sent) -> int:
    """The time that an event bears, ms since the epoch."""
    return NOON + round(sent.at * 1000)


def line_of(sent: Sent) -> bytes:
    """The record's bytes."""
    match sent.kind:
        case "poison":
            return f"no event {sent.key}".encode()
        case "other":
            return other_line(at_of(sent))
        case _:
            return event_line(sent.player, sent.level, at_of(sent))


def hash_of(player: str) -> int:
    """Where a player's changes go."""
    return ord(player[0]) * 7919 % HASHES
