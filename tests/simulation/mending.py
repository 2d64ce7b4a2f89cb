"""The watch over losses and the rebuild, wired to a world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headcount.rebuild import Parts, Rebuild
from headcount.rebuild_command import QUIET_SECONDS
from headcount.tables.rebuild_mark import RebuildMark
from level_aggregator.gap_watch import GapParts
from tests.simulation.records import TABLE_IDENTITY
from tests.simulation.schedule import AGGREGATOR
from tests.simulation.services import MUTE
from tests.simulation.table_stream import LeaseClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.table_stream import TableStream
    from tests.simulation.world import World


def gap_parts(world: World, stream: TableStream) -> GapParts:
    """What the aggregator's supervisor looks at."""
    client: Any = LeaseClient(world.kcl[AGGREGATOR], world.faults.touch)
    return GapParts(
        identity=TABLE_IDENTITY,
        application=f"{world.settings.application}-level-aggregator",
        stream=stream,
        client=client,
        players=world.players,
        counts=world.counts,
        progress=world.progress,
        metrics=MUTE,
        wall=world.clock,
        monotonic=world.clock,
        sleep=world.wait,
    )


def name_of(rebuild: int) -> str:
    """What is written of the so-many-th rebuild."""
    return f"rebuild {rebuild}"


def rebuild_of(world: World, stream: TableStream, number: int, meanwhile: Callable[[], None]) -> Rebuild:
    """The ``number``-th one; ``meanwhile`` happens after each of its steps."""
    parts = gap_parts(world, stream)
    client: Any = world.client
    return Rebuild(
        Parts(
            identity=parts.identity,
            application=parts.application,
            client=parts.client,
            stream=stream,
            players=world.players,
            counts=world.counts,
            progress=world.progress,
            mark=RebuildMark(client, world.progress.name, parts.identity, name_of(number)),
            quiet_seconds=QUIET_SECONDS,
            say=lambda _: meanwhile(),
            wall=world.clock,
            monotonic=world.clock,
            sleep=world.wait,
        )
    )
