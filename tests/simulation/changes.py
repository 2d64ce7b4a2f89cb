"""A row of a table was changed: who watches over it, and what of it goes on the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from headcount.tables.progress import CUTOFF
from tests.simulation.expiry import assert_expires_in_time
from tests.simulation.records import hash_of

if TYPE_CHECKING:
    from tests.fakes.dynamodb_items import Key
    from tests.fakes.expressions import Item
    from tests.simulation.world import World


def assert_change(world: World, table: str, key: Key, before: Item | None, after: Item | None) -> None:
    """See `tests.fakes.dynamodb.OnChange`."""
    settings, watching = world.settings, world.watching
    if world.is_expiring:
        watching.expired(table, key, before or {})
        return
    if after is not None:
        assert_expires_in_time(world, table, before, after)
    if table == settings.player_table:
        images = {"dynamodb": {"Keys": {"playerId": {"S": key[0]}}, "OldImage": before, "NewImage": after}}
        world.changes.put(hash_of(key[0]), orjson.dumps(images), round(world.clock.now) * 1000)
        watching.changed(key[0], before, after)
    elif table == settings.progress_table:
        if key[0] == CUTOFF:
            watching.cutoff_moved(before, after)
        elif not key[0].startswith("rebuild/"):
            watching.progress_moved(key[0], before, after)
    elif table == settings.dead_letter_table:
        watching.buried(key, after or {})
    else:
        world.losses.assert_may_be_counted(key)
