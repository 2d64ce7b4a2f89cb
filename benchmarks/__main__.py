"""``make bench``: measures all sections, or those named, and writes the report. ``python -m benchmarks``."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import Annotated

import structlog
import typer

from benchmarks.driver import ROOT, WorkerError
from benchmarks.places import Size
from benchmarks.report import write
from headcount.demo.emulator import EmulatorError

SECTIONS = ("parse", "consumer", "writes", "aggregator", "pruner", "latency", "scale", "memory")
SMALL = Size(runs=1, share=0.1)

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def main(
    sections: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(SECTIONS)}; all.")] = None,
    *,
    small: Annotated[bool, typer.Option(help="A tenth of the records, one run: to see that it works.")] = False,
    full: Annotated[bool, typer.Option(help="1,000,000 players; 30 minutes of load for memory.")] = False,
    output: Annotated[Path, typer.Option(help="Where the report goes.")] = ROOT / "docs" / "benchmarks",
) -> None:
    """Measure; sections that are not named keep what the report says of them."""
    wanted = sections or list(SECTIONS)
    if unknown := set(wanted) - set(SECTIONS):
        typer.echo(f"No such section: {', '.join(sorted(unknown))}. There are: {', '.join(SECTIONS)}.", err=True)
        raise typer.Exit(2)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("WARNING"))
    size = SMALL if small else Size(full=full)
    for name in wanted:
        typer.echo(f"{name} …")
        begun = time.monotonic()
        try:
            findings = import_module(f"benchmarks.sections.{name}").measure(size)
        except (EmulatorError, WorkerError, TimeoutError) as error:
            typer.echo(f"{name} could not be measured: {error}", err=True)
            raise typer.Exit(1) from None
        for figure in findings.figures:
            typer.echo(f"  {figure.name}: {figure.median:,.4g} {figure.unit} ({figure.note})".replace(" ()", ""))
        for target in findings.targets:
            typer.echo(f"  {'reached' if target.met else 'NOT REACHED'}: {target.figure}")
        write(output, name, findings, time.monotonic() - begun, small=small)


if __name__ == "__main__":
    app()
