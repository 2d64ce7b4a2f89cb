"""``make simulate``: many seeds, and for the first that fails its shortest schedule."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from headcount.kcl.worker import GC_THRESHOLDS
from tests.simulation.run import failure_of, failures, silently
from tests.simulation.seeds import schedule
from tests.simulation.shrink import shortest

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 5  # seeds that a process takes at a time
TOLD_EVERY_SECONDS = 10.0
MOST_TOLD = 20  # failures, as they are found
EXIT_FAILED = 1


def explain(seed: int) -> str:
    """A failing seed's shortest schedule, and what it breaks."""
    with silently():
        whole = schedule(seed)
        least = shortest(whole, lambda candidate: failure_of(candidate) is not None)
        return f"{failure_of(least)}\nThe shortest schedule found:\n{least}"


class Progress:
    """Tells how far the seeds are, by time: how long one takes depends on the machine."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._begun = self._told = monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._monotonic() - self._begun

    def line(self, done: int, failed: int) -> str | None:
        """What to say now, if it is time to."""
        if self._monotonic() - self._told < TOLD_EVERY_SECONDS:
            return None
        self._told = self._monotonic()
        return f"{seeds_of(done)} in {self.seconds:.0f} s, {failed} failed"


def seeds_of(count: int) -> str:
    """In words."""
    return "1 seed" if count == 1 else f"{count} seeds"


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
    progress = Progress()
    begin, end = (first, first + seeds) if seed is None else (seed, seed + 1)
    chunks = [range(at, min(at + CHUNK, end)) for at in range(begin, end, CHUNK)]
    found: list[tuple[int, str]] = []
    done = 0
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(min(processes, len(chunks)), gc.set_threshold, GC_THRESHOLDS) as pool:
        for failed in pool.imap_unordered(failures, chunks):
            for number, failure in failed[: max(0, MOST_TOLD - len(found))]:
                typer.echo(f"seed {number}: {failure}")
            found += failed
            if found and not all_of_them:
                break
            done = min(done + CHUNK, end - begin)
            if line := progress.line(done, len(found)):
                typer.echo(line)
    typer.echo(f"{seeds_of(end - begin)} from {begin} on in {progress.seconds:.1f} s: {len(found)} failed")
    if found:
        worst = min(found)[0]
        typer.echo(f"\nReplay it: python -m tests.simulation --seed {worst}")
        if shrink:
            typer.echo(explain(worst))
        raise typer.Exit(EXIT_FAILED)


if __name__ == "__main__":
    typer.run(main)
