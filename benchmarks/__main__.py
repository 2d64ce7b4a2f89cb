"""``make bench``: measures all sections, or those named, and writes the report. ``python -m benchmarks``."""

from __future__ import annotations

import subprocess
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated

import structlog
import typer

from benchmarks.driver import ROOT, WorkerError
from benchmarks.places import Size
from benchmarks.report import prepare, write
from headcount.demo.emulator import EmulatorError
from headcount.kcl.java.lock import BuildError

SECTIONS = ("parse", "consumer", "writes", "aggregator", "pruner", "latency", "scale", "memory", "map")
SMALL = Size(runs=1, share=0.1)

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def main(
    sections: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(SECTIONS)}; all.")] = None,
    *,
    small: Annotated[bool, typer.Option(help="A tenth of the records, one run: to see that it works.")] = False,
    full: Annotated[bool, typer.Option(help="1,000,000 players; 30 minutes of load for memory.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Where the report goes: docs/benchmarks; with --small build/benchmarks.")
    ] = None,
) -> None:
    """Measure; sections that are not named keep what the report says of them."""
    if small and full:
        typer.echo("Either --small or --full.", err=True)
        raise typer.Exit(2)
    wanted = list(dict.fromkeys(sections or SECTIONS))
    if unknown := set(wanted) - set(SECTIONS):
        typer.echo(f"No such section: {', '.join(sorted(unknown))}. There are: {', '.join(SECTIONS)}.", err=True)
        raise typer.Exit(2)
    directory = output or (ROOT / "build" if small else ROOT / "docs") / "benchmarks"
    try:
        prepare(directory)
    except (OSError, ValueError) as error:
        typer.echo(f"The report can't go to {directory}: {error}", err=True)
        raise typer.Exit(2) from None
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("WARNING"))
    size = SMALL if small else Size(full=full)
    for name in wanted:
        typer.echo(f"{name} …")
        begun = time.monotonic()
        try:
            findings = import_module(f"benchmarks.sections.{name}").measure(size)
        except (BuildError, EmulatorError, WorkerError, TimeoutError, subprocess.CalledProcessError) as error:
            typer.echo(f"{name} could not be measured: {error}", err=True)
            raise typer.Exit(1) from None
        for figure in findings.figures:
            typer.echo(f"  {figure.name}: {figure.median:,.4g} {figure.unit} ({figure.note})".replace(" ()", ""))
        for target in [] if small else findings.targets:  # too few records to say
            typer.echo(f"  {'reached' if target.met else 'NOT REACHED'}: {target.figure}")
        write(directory, name, findings, time.monotonic() - begun, small=small)


if __name__ == "__main__":
    app()
