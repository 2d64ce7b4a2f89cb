"""`make demo`: the main job as a newcomer sees it. ``python -m headcount.demo``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from headcount.demo.emulator import EmulatorError
from headcount.demo.options import Options
from headcount.demo.report import Report, write_report
from headcount.demo.run import DemoError, run
from headcount.demo.screen import render_svg, restore_terminal
from headcount.lifecycle import Stop

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)  # players are among them

_MEANINGS = {
    "I1": "each level counts the players in it",
    "I2": "no count is negative",
    "I3": "each player is where their newest event says, and who fell silent has left",
    "I4": "entered - left = players, and the transitions sum to both",
    "I5": "each record ended as exactly one outcome",
    "I6": "progress never went backwards",
}


@app.command()
def demo(
    *,
    players: Annotated[int, typer.Option(min=1, max=100_000, help="Players of the game.")] = 300,
    levels: Annotated[int, typer.Option(min=2, max=500, help="Levels of the campaign.")] = 12,
    rate: Annotated[float, typer.Option(min=1, max=5000, help="Events a second, all players together.")] = 200,
    seconds: Annotated[float, typer.Option(min=5, max=86_400, help="How long traffic is sent.")] = 90,
    seed: Annotated[int, typer.Option(help="Of the players' behaviour.")] = 7,
    shards: Annotated[int, typer.Option(min=1, max=16, help="Shards of the events' stream.")] = 2,
    idle_timeout: Annotated[
        float, typer.Option(min=5, max=3600, help="Seconds of silence after which a player has left.")
    ] = 60,
    stable_keys: Annotated[
        bool, typer.Option(help="Partition by player and deliver in order; transitions are then compared too.")
    ] = False,
    kill: Annotated[bool, typer.Option(help="kill -9 a random service, daemon or child every 10 s.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write a report to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the screen's last picture under traffic to this file.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Keep the services' logs in this directory.")] = None,
) -> None:
    """Send a game's traffic through Headcount on this machine, show the counts, and check them against the truth."""
    for option, path in (("--json", json), ("--svg", svg)):
        if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
            raise typer.BadParameter(f"no file can be written at {path}", param_hint=option)
    stop = Stop(on_kill=restore_terminal)
    stop.listen()
    options = Options(players, levels, rate, seconds, seed, shards, idle_timeout, stable_keys=stable_keys, kill=kill)
    with TemporaryDirectory(prefix="headcount-demo-") as temporary:
        directory = logs if logs is not None else Path(temporary)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            report, picture = run(options, directory, stop)
        except (DemoError, EmulatorError, OSError, BotoCoreError, ClientError) as error:
            typer.echo(f"demo: {error}", err=True)
            raise typer.Exit(1) from None
    _tell(report)
    if json is not None:
        write_report(report, json)
    if svg is not None:
        svg.write_text(render_svg(picture), encoding="utf-8")
    sys.exit(0 if report.exact and not report.processes_left else 1)


def _tell(report: Report) -> None:
    echo = typer.echo
    echo("")
    echo("Exact: the tables hold what the traffic says they must." if report.exact else "NOT EXACT:")
    for difference in report.differences:
        echo(f"  {difference}")
    for name, holds in report.invariants.items():
        echo(f"  {name} {'ok' if holds else 'BROKEN'}: {_MEANINGS[name]}")
    if report.transitions_exact is not None:
        echo(f"Transitions, move by move: {'as the traffic says' if report.transitions_exact else 'NOT as it says'}.")
    echo("Events: " + ", ".join(f"{count} {name}" for name, count in report.events.items()))
    if report.first_count_seconds is None:
        echo("Stopped before the first count.")
    else:
        writes, lag = report.player_state_writes_per_event, report.lag_seconds
        echo(f"First count after {report.first_count_seconds:.1f} s; {writes} writes of PlayerState per event.")
        echo(f"Median lag from an event to its count: under {lag} s.")
    for kill in report.kills:
        echo(f"kill -9 of {kill.target} at {kill.at} s: counts stood still for at most {kill.standstill} s afterwards.")


if __name__ == "__main__":
    app()
