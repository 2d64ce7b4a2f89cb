"""Records of the events' stream for tests."""

from headcount.demo.tsv import APP_ID, LevelContext, make_line
from headcount.model import Position, Record

NOON = 1_700_049_600_000  # 2023-11-15 12:00 UTC, a whole minute
UUID = "5a3b6a39-3c3e-4d41-9b6e-5a0b6a393c3e"


def event_line(player: str | None, level: str | None, at: int) -> bytes:
    """An enriched event with a level context."""
    context = LevelContext(player, level, None, None, None)
    return make_line(0, app_id=APP_ID, at=at, event_id=UUID, domain_userid=UUID, context=context)


def other_line(at: int) -> bytes:
    """An enriched event without one."""
    return make_line(0, app_id=APP_ID, at=at, event_id=UUID, domain_userid=UUID, context=None)


def record(sequence: int, data: bytes, arrived_at: int = NOON, sub: int = 0) -> Record:
    """A record as the processor hands it on."""
    return Record(Position(sequence, sub), str(sequence), data, arrived_at)
