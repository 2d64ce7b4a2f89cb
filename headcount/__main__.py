"""A person's commands: ``python -m headcount setup | audit | explain | forget | dead-letters | rebuild | cost``."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import orjson
import typer

from headcount.audit import Audit
from headcount.aws import Aws, verify_tables
from headcount.cost.command import cost
from headcount.dead_letters import commands as dead_letters
from headcount.environment import load_settings
from headcount.explain import Explain
from headcount.logs import configure_logs
from headcount.provision import provision
from headcount.rebuild_command import QUIET_SECONDS, Options, perform
from headcount.settings import Settings
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from headcount.terminal import harmless, in_one_line

EXIT_DIFFERENCE = 1
MOST_KEY_BYTES = 1024  # longer ids are dead letters (headcount/snowplow.py)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # players are among them
    help="Headcount: live player counts. Settings: docs/configuration.md.",
)
app.add_typer(dead_letters.app, name="dead-letters")
app.command()(cost)


class Tables:
    """Settings and repositories, as every command needs them."""

    def __init__(self) -> None:
        self.settings: Settings = load_settings()
        configure_logs("headcount", self.settings.log_format, self.settings.log_level)
        self.aws = Aws(self.settings.aws_region)

    def verify(self) -> None:
        """Raise `UnavailableError` unless the four tables are there."""
        names = (self.settings.player_table, self.settings.level_table)
        verify_tables(
            self.aws.at_start(),
            self.settings,
            (*names, self.settings.transitions_table, self.settings.progress_table),
        )

    @property
    def players(self) -> PlayerTable:
        """PlayerState."""
        return PlayerTable(self.aws.dynamodb, self.settings.player_table)

    @property
    def counts(self) -> CountTables:
        """LevelState and Transitions."""
        names = (self.settings.level_table, self.settings.transitions_table)
        return CountTables(self.aws.dynamodb, *names, self.settings.transitions_retention_seconds)

    @property
    def progress(self) -> ProgressTable:
        """StreamProgress."""
        return ProgressTable(self.aws.dynamodb, self.settings.progress_table)


def _check_key(option: str, value: str) -> None:
    size = len(value.encode(errors="replace"))
    if not 1 <= size <= MOST_KEY_BYTES:
        raise typer.BadParameter(f"{option} takes an id of 1 to {MOST_KEY_BYTES} bytes; this one has {size}")


@app.command()
def setup(
    shards: Annotated[int, typer.Option(min=1, help="Shards of the events' stream, where it is made.")] = 2,
) -> None:
    """Make the stream and the tables that are missing, with TTL and streams; wait until all is active."""
    tables = Tables()
    with in_one_line():
        provision(tables.aws, tables.settings, shards, typer.echo)


@app.command()
def audit(
    *,
    drained: Annotated[bool, typer.Option(help="Strict: nothing is under way.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Compare LevelState with a recount of PlayerState (I1, I2, I4); exit 1 on a difference."""
    tables = Tables()
    with in_one_line():
        tables.verify()
        auditing = Audit(tables.players, tables.counts)
        found = auditing.strict() if drained else auditing.live()
    if as_json:
        sys.stdout.write(orjson.dumps({"exact": not found, "differences": found}).decode() + "\n")
    else:
        lines = [harmless(str(difference)) for difference in found] or ["No difference: I1, I2 and I4 hold."]
        typer.echo("\n".join(lines))
    if found:
        raise typer.Exit(EXIT_DIFFERENCE)


@app.command()
def explain(
    level: Annotated[str | None, typer.Option(help="A level's id.")] = None,
    player: Annotated[str | None, typer.Option(help="A player's id.")] = None,
) -> None:
    """Why a level or a player stands as it does: rows, times, cutoff, what pruning waits for."""
    if (level is None) == (player is None):
        raise typer.BadParameter("give one of --level and --player")
    _check_key("--player" if level is None else "--level", level or player or "")
    tables = Tables()
    with in_one_line():
        tables.verify()
        teller = Explain(tables.players, tables.counts, tables.progress, tables.settings)
        lines = teller.level(level) if level is not None else teller.player(player or "")
    typer.echo("\n".join(map(harmless, lines)))


@app.command()
def forget(player: Annotated[str, typer.Option(help="The player's id.")]) -> None:
    """Erase a person: delete the player's row, so that the counts follow through the stream."""
    _check_key("--player", player)
    tables = Tables()
    with in_one_line():
        tables.verify()
        row = tables.players.get(player)
        while row is not None and not tables.players.delete(player, row):
            row = tables.players.get(player)
    if row is None:
        typer.echo("There is no row of this player; nothing to erase.")
        return
    typer.echo(
        f"Erased: the row in level {harmless(row.level)}. Counts follow in a moment. Events of this player that are "
        "still to come, wait in a consumer as a renewal, or lie on the stream and are newer than the cutoff, make a "
        f"new row: erase again after {tables.settings.refresh_seconds:g} s if the player is active."
    )


@app.command()
def rebuild(
    *,
    dry_run: Annotated[bool, typer.Option(help="Say what would change, and change nothing.")] = False,
    although_running: Annotated[bool, typer.Option(help="Do not refuse while consumer or pruner run.")] = False,
    although_empty: Annotated[bool, typer.Option(help="Do not refuse where LevelState or progress is gone.")] = False,
    quiet_seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="So long PlayerState must stand still.")
    ] = QUIET_SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Make LevelState right from PlayerState, after changes were lost to the counts; the services must be stopped."""
    tables = Tables()
    with in_one_line():
        tables.verify()
        options = Options(
            quiet_seconds, dry_run=dry_run, although_running=although_running, although_empty=although_empty
        )
        say = partial(typer.echo, err=True)
        outcome = perform(tables, options, lambda line: say(harmless(line)))
    if as_json:
        sys.stdout.write(orjson.dumps(outcome.as_json()).decode() + "\n")
    else:
        typer.echo("\n".join(map(harmless, outcome.lines)))
    raise typer.Exit(outcome.code)


if __name__ == "__main__":
    app()
