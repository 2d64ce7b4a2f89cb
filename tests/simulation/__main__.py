"""``make simulate``: many seeds, and for the first that fails its shortest schedule."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from tests.simulation.run import PROCESSES, Ran, failure_of, run_chunks, silently
from tests.simulation.seeds import schedule
from tests.simulation.shrink import shortest

if TYPE_CHECKING:
    from collections.abc import Callable

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
    processes: Annotated[int, typer.Option(min=1, help="At once.")] = PROCESSES,
    *,
    shrink: Annotated[bool, typer.Option(help="Look for the shortest schedule.")] = True,
    all_of_them: Annotated[bool, typer.Option("--all/--stop", help="Go on after a failure.")] = True,
) -> None:
    """Run the simulator's seeds; exit 1 at a failure. I1 to I6 are checked in each of them."""
    progress = Progress()
    numbers = range(first, first + seeds) if seed is None else range(seed, seed + 1)
    whole = Ran()
    for ran in run_chunks(numbers, processes):
        for number, failure in ran.failed[: max(0, MOST_TOLD - len(whole.failed))]:
            typer.echo(f"seed {number}: {failure}")
        whole.add(ran)
        if whole.failed and not all_of_them:
            break
        if line := progress.line(whole.seeds, len(whole.failed)):
            typer.echo(line)
    told = f"{seeds_of(whole.seeds)} from {numbers.start} on in {progress.seconds:.1f} s"
    typer.echo(f"{told}: {len(whole.failed)} failed")
    if whole.failed:
        worst = min(whole.failed)[0]
        typer.echo(f"\nReplay it: python -m tests.simulation --seed {worst}")
        if shrink:
            typer.echo(explain(worst))
        raise typer.Exit(EXIT_FAILED)


if __name__ == "__main__":
    typer.run(main)
