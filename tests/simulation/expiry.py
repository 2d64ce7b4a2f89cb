"""When a row may expire: checked at each write, by `semantics.md`, Tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount.tables import integer
from tests.simulation.broken import hold

if TYPE_CHECKING:
    from tests.fakes.expressions import Item
    from tests.simulation.world import World

DAY = 86_400
# How long the row of a shard that was read to its end is kept: beyond what its stream keeps.
ENDED_KEPT = {"consumer": 366 * DAY, "level_aggregator": 2 * DAY}
SLOWNESS = 7200  # seconds that may pass between the reading of a clock and the write


def assert_expires_in_time(world: World, table: str, before: Item | None, after: Item) -> None:
    """A row was written; ``before``: None if it is new."""
    expires = integer(after, "expiresAt")
    if table == world.settings.transitions_table:
        due = int(after["bucket"]["S"].partition("#")[0]) + world.settings.transitions_retention_seconds
        hold(expires == due, "rule 8: {} does not expire at {}", after, due)
    elif table == world.settings.dead_letter_table:
        _assert_about(world, expires, world.settings.dead_letter_retention_seconds, after)
    elif table == world.settings.progress_table:
        kept = ENDED_KEPT.get(after["worker"]["S"].partition("/")[0])
        ended = kept is not None and "ended" in after
        hold(ended == (expires is not None), "tables: {} expires, or does not", after)
        if kept is not None and expires is not None and expires != integer(before or {}, "expiresAt"):
            _assert_about(world, expires, kept, after)
    else:
        hold(expires is None, "tables: {} expires", after)


def _assert_about(world: World, expires: int | None, kept: int, row: Item) -> None:
    due, slack = world.clock.now + kept, SLOWNESS + max(map(abs, world.schedule.config.skews))
    near = expires is not None and abs(expires - due) <= slack
    hold(near, "tables: {} does not expire in about {} s", row, kept)
