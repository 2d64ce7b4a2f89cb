"""What the progress says of silence: checked against all that is on the streams, each time that it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount.tables import integer
from tests.simulation.broken import hold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from headcount.model import Position
    from tests.fakes.expressions import Item
    from tests.simulation.records import Arrived
    from tests.simulation.world import World


def assert_seen(world: World, shard: str, uncovered: Iterable[Arrived], row: Item) -> None:
    """Of the events' shard: what arrived before it was seen to be empty is in PlayerState, or is a renewal that waits.

    Rule 2: what is one, a worker judges by what it knows; of players who come by other shards too, not always all.
    Rule 6: a pruner may overtake one that waits behind a long silence; the next batch then writes it as a change.
    """
    seen, cutoff = integer(row, "seenAt"), world.watching.cutoff
    for one in uncovered:
        level, player = one.sent.level, one.sent.player
        if seen is None or one.arrived_at >= seen or one.sent.kind != "level" or not world.watching.on_time(one):
            continue
        found = world.client.tables["PlayerState"].items.get((player,))
        at = (int(found["lastUpdated"]["N"]), found["levelId"]["S"]) if found else (0, "")
        written = found is not None and (at[1] == level or at > (one.at, level))
        gone = cutoff is not None and one.at < cutoff
        told = written or gone or _overtaken(world, one) or _comes_elsewhere(world, player, shard)
        hold(told, "tables: {} was seen to {}, and {} is not written", shard, seen, one)


def assert_counted(world: World, shard: str, done: Position | None, row: Item) -> None:
    """Of PlayerState's: what was made before the newest change that is counted, or before a silence, is counted."""
    mark = max(integer(row, "arrivedAt") or 0, integer(row, "seenAt") or 0)
    for record in reversed(world.changes.shards[shard].records):
        if done is not None and record.position <= done:
            break
        hold(record.arrived_at >= mark, "tables: {} counted to {}, but not {}", shard, mark, record)


def _overtaken(world: World, one: Arrived) -> bool:
    level, deleted_at = world.watching.deleted.get(one.sent.player, ("", 0))
    return level == one.sent.level and one.arrived_at <= deleted_at


def _comes_elsewhere(world: World, player: str, shard: str) -> bool:
    others = (arrivals for name, arrivals in world.watching.arrivals.items() if name != shard)
    return any(one.sent.player == player for arrivals in others for one in arrivals)
