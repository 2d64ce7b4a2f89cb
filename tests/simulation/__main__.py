"""``make simulate``: many seeds, and for the first that fails its shortest schedule."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Annotated

import typer

from tests.simulation.run import failure_of, failures, silently
from tests.simulation.seeds import schedule
from tests.simulation.shrink import shortest

CHUNK = 5  # seeds that a process takes at a time
EXIT_FAILED = 1


def explain(seed: int) -> str:
    """A failing seed's shortest schedule, and what it breaks."""
    with silently():
        whole = schedule(seed)
        least = shortest(whole, lambda candidate: failure_of(candidate) is not None)
        return f"{failure_of(least)}\nThe shortest schedule found:\n{least}"


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many.")] = 1000,
    first: Annotated[int, typer.Option(min=0, help="The first one.")] = 0,
    seed: Annotated[int | None, typer.Option(min=0, help="Only this one.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="At once.")] = os.cpu_count() or 1,
    *,
    shrink: Annotated[bool, typer.Option(help="Look for the shortest schedule.")] = True,
    all_of_them: Annotated[bool, typer.Option("--all/--stop", help="Go on after a failure.")] = True,
) -> None:
    """Run the simulator's seeds; exit 1 at a failure. I1 to I6 are checked in each of them."""
    begun = time.monotonic()
    begin, end = (first, first + seeds) if seed is None else (seed, seed + 1)
    chunks = [range(at, min(at + CHUNK, end)) for at in range(begin, end, CHUNK)]
    found: list[tuple[int, str]] = []
    with multiprocessing.get_context("fork").Pool(min(processes, len(chunks))) as pool:
        for done, failed in enumerate(pool.imap_unordered(failures, chunks), start=1):
            found += failed
            if found and not all_of_them:
                break
            if done * CHUNK % 5000 == 0:
                typer.echo(f"{done * CHUNK} seeds in {time.monotonic() - begun:.0f} s, {len(found)} failed")
    for number, failure in sorted(found)[:20]:
        typer.echo(f"seed {number}: {failure}")
    typer.echo(f"{end - begin} seeds from {begin} on in {time.monotonic() - begun:.1f} s: {len(found)} failed")
    if found:
        worst = min(found)[0]
        typer.echo(f"\nReplay it: python -m tests.simulation --seed {worst}")
        if shrink:
            typer.echo(explain(worst))
        raise typer.Exit(EXIT_FAILED)


if __name__ == "__main__":
    typer.run(main)
