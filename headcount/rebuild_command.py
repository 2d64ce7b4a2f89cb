"""`python -m headcount rebuild`, as a person meets it: who must be stopped, what was changed, exit codes."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from headcount.aws import verify_table_stream
from headcount.corrections import NO_COUNT, Correction
from headcount.kcl.lease_table import read_leases
from headcount.lineage import has_counted
from headcount.rebuild import NotStillError, Parts, Rebuild, Rebuilt
from headcount.running import AGGREGATOR, CONSUMER, PRUNER, lease_tables, running
from headcount.table_stream import TableStream
from headcount.tables.rebuild_mark import RebuildMark

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.aws import Aws
    from headcount.settings import Settings
    from headcount.tables.counts import CountTables
    from headcount.tables.players import PlayerTable
    from headcount.tables.progress import ProgressTable

EXIT_RUNNING = 4
EXIT_NOT_STILL = 5
QUIET_SECONDS = 10.0


class Tables(Protocol):
    """Settings and repositories, as every command has them."""

    settings: Settings
    aws: Aws

    @property
    def players(self) -> PlayerTable:
        """PlayerState."""

    @property
    def counts(self) -> CountTables:
        """LevelState and Transitions."""

    @property
    def progress(self) -> ProgressTable:
        """StreamProgress."""


@dataclass(frozen=True)
class Options:
    """Of the command."""

    quiet_seconds: float = QUIET_SECONDS
    dry_run: bool = False
    although_running: bool = False
    although_empty: bool = False


@dataclass(frozen=True)
class Outcome:
    """How it ended: an exit code, lines for a person, and the same for a program."""

    code: int
    lines: list[str]
    content: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {"exit": self.code, **(self.content or {"refused": self.lines})}


def perform(tables: Tables, options: Options, say: Callable[[str], None]) -> Outcome:
    """Refuse, rebuild or look; ``say`` gets a line for each step. Raises `UnavailableError` and botocore's errors."""
    settings, client = tables.settings, tables.aws.dynamodb
    arn, identity = verify_table_stream(tables.aws.at_start(), settings.player_table)
    names = (settings.player_table, settings.level_table, settings.transitions_table, settings.progress_table)
    say(f"Tables: {', '.join(names)}.")
    suspicious = _suspicious(tables, str(identity))
    if suspicious and not options.although_empty and not options.dry_run:
        check = "Check the names of the tables. If the rows really are gone, say --although-empty."
        return Outcome(EXIT_RUNNING, [*suspicious, check])
    if not options.dry_run:
        services = (AGGREGATOR,) if options.although_running else (AGGREGATOR, CONSUMER, PRUNER)
        say(f"Looking whether {', '.join(services)} run.")
        at_work = running(client, tables.progress, settings, services)
        if at_work:
            who = " and ".join(sorted({one.service for one in at_work}))
            stop = f"Stop {who} (SIGTERM, then wait for the exit), and run rebuild again."
            return Outcome(EXIT_RUNNING, [*map(str, at_work), stop])
    parts = Parts(
        identity=str(identity),
        application=lease_tables(settings)[AGGREGATOR],
        client=client,
        stream=TableStream(tables.aws.streams, arn),
        players=tables.players,
        counts=tables.counts,
        progress=tables.progress,
        mark=RebuildMark(client, settings.progress_table, str(identity), secrets.token_hex(8)),
        quiet_seconds=options.quiet_seconds,
        say=say,
    )
    rebuild = Rebuild(parts)
    try:
        done = rebuild.look() if options.dry_run else rebuild.run()
    except NotStillError as error:
        return Outcome(EXIT_NOT_STILL, [str(error)])
    return Outcome(0, list(told(done, dry_run=options.dry_run)), {"dry_run": options.dry_run, **_content(done)})


def _suspicious(tables: Tables, identity: str) -> list[str]:
    """What looks as if a table were another system's: what was counted would then be counted again, or lost."""
    settings = tables.settings
    rows = tables.progress.read_all(f"{AGGREGATOR}/{identity}/")
    found = []
    leases = lease_tables(settings)[AGGREGATOR]
    if not has_counted(rows) and any(row.position for row in read_leases(tables.aws.dynamodb, leases)):
        found.append(f"{settings.progress_table} has no progress of the aggregator, but {leases} has its checkpoints.")
    if not tables.counts.levels():
        names = {
            settings.progress_table: has_counted(rows),
            settings.transitions_table: next(iter(tables.counts.transitions()), None) is not None,
        }
        found += [
            f"{settings.level_table} is empty, but {name} says that much was counted."
            for name, has_some in names.items()
            if has_some
        ]
    return found


def told(done: Rebuilt, *, dry_run: bool) -> list[str]:
    """What was changed, or would be."""
    if not done.changed:
        return [f"LevelState is right: {done.players} players. Nothing {'would be' if dry_run else 'was'} changed."]
    would = "would be " if dry_run else ""
    lines = [_line(one) for one in done.corrections]
    lines.append(f"{len(done.corrections)} levels {would}corrected; PlayerState has {done.players} players.")
    lines.append(
        f"The progress of {done.shards} shards {would}set to the stream's tip, {done.leases} leases of the aggregator "
        f"{would}deleted."
    )
    if not dry_run:
        lines.append("Transitions were left alone. Start the aggregator, if it does not wait already; then the others.")
    return lines


def _line(one: Correction) -> str:
    was, now = one.was or NO_COUNT, one.now
    return (
        f"{one.level}: {was.players} -> {now.players} players (entered {was.entered} -> {now.entered}, "
        f"left {was.left} -> {now.left})"
    )


def _content(done: Rebuilt) -> dict[str, Any]:
    return {
        "changed": done.changed,
        "finished_an_earlier_one": done.finishes,
        "players": done.players,
        "levels": [asdict(one) for one in done.corrections],
        "shards": done.shards,
        "leases": done.leases,
    }
