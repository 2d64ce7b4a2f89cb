"""``make mutants``: the simulator over each mutant, which it must notice."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tests.simulation.mutants import FILE, MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("headcount", "consumer", "level_aggregator", "pruner", "tests/fakes", "tests/simulation")
OURS = {name.partition("/")[0] for name in COPIED}  # packages
DOCUMENT = ROOT / "docs" / "correctness.md"
TABLE = re.compile(r"(?<=<!-- mutants: begin -->\n).*(?=<!-- mutants: end -->)", re.DOTALL)


class NotNoticedError(AssertionError):
    """The simulator passed over a mutant."""


def notice(mutant: Mutant, first: int, seeds: int) -> int:
    """The first seed at which the simulator notices ``mutant``. Raises `NotNoticedError`."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        found = pool.submit(_noticed, mutant, first, seeds).result()
    if found is None:
        raise NotNoticedError(f"{mutant.name}: {seeds} seeds from {first} on")
    return found


def _noticed(mutant: Mutant, first: int, seeds: int) -> int | None:
    """The same, in a process that does nothing else: the broken code takes the place of ours. None if not noticed."""
    with tempfile.TemporaryDirectory() as directory:
        for name in COPIED:
            shutil.copytree(ROOT / name, Path(directory, name), ignore=shutil.ignore_patterns("__pycache__", "lib"))
        file = Path(directory, mutant.file)
        file.write_text(mutant.applied_to(file.read_text(encoding="utf-8")), encoding="utf-8")
        for name in list(sys.modules):
            if name.partition(".")[0] in OURS:
                del sys.modules[name]
        sys.path.insert(0, directory)
        importlib.invalidate_caches()
        run = importlib.import_module("tests.simulation.run")
        if not Path(run.__file__ or "").is_relative_to(directory):
            raise ImportError(f"{run.__file__} is not the broken code in {directory}")
        for seed in range(first, first + seeds):
            if run.run(range(seed, seed + 1)).failed:
                return seed
    return None


def table(mutants: tuple[Mutant, ...]) -> str:
    """What ``docs/correctness.md`` says of them, rule by rule."""
    by_rule = sorted(mutants, key=lambda mutant: mutant.rule)
    lines = ["| rule | broken on purpose | where | noticed at seed |", "| --- | --- | --- | --- |"]
    lines += [f"| {mutant.rule} | {mutant.name} | `{mutant.file}` | {mutant.seed} |" for mutant in by_rule]
    return "\n".join(lines) + "\n"


def write(mutants: tuple[Mutant, ...]) -> None:
    """Keep the seeds, here and in the document."""
    seeds = iter(mutants)
    text = FILE.read_text(encoding="utf-8")
    FILE.write_text(re.sub(r"(?m)^  seed: \d+$", lambda _: f"  seed: {next(seeds).seed}", text), encoding="utf-8")
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(TABLE.sub(lambda _: table(mutants), document), encoding="utf-8")


def main(
    seeds: Annotated[int, typer.Option(help="Tried per mutant.")] = 3000,
    processes: Annotated[int, typer.Option(min=1, help="At once.")] = os.cpu_count() or 1,
    only: Annotated[str, typer.Option(help="Those with this in their names.")] = "",
) -> None:
    """Find for each mutant the first seed that notices it, and keep it; exit 1 if one is passed over."""
    chosen = [mutant for mutant in MUTANTS if only in mutant.name]
    found: dict[str, Mutant] = {}
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        tries = pool.imap(partial(_noticed, first=0, seeds=seeds), chosen, chunksize=1)
        for mutant, tried in zip(chosen, tries, strict=True):
            if tried is None:
                typer.echo(f"NOT NOTICED in {seeds} seeds: {mutant.name}", err=True)
            else:
                typer.echo(f"rule {mutant.rule}, seed {tried}: {mutant.name}")
                found[mutant.name] = replace(mutant, seed=tried)
    write(tuple(found.get(mutant.name, mutant) for mutant in MUTANTS))
    if len(found) < len(chosen):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
