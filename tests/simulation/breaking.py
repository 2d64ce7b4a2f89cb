"""``make mutants``: the simulator over each mutant, which it must notice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tests.simulation.mutants import FILE, MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("headcount", "consumer", "level_aggregator", "pruner", "tests/fakes", "tests/simulation")
DOCUMENT = ROOT / "docs" / "correctness.md"
TABLE = re.compile(r"(?<=<!-- mutants: begin -->\n).*(?=<!-- mutants: end -->)", re.DOTALL)
NOTICED = 1  # exit code of `tests.simulation`


class NotNoticedError(AssertionError):
    """The simulator passed over a mutant."""


def notice(mutant: Mutant, directory: Path, first: int, seeds: int) -> int:
    """The first seed at which the simulator notices ``mutant``, built in ``directory``. Raises `NotNoticedError`."""
    for name in COPIED:
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__", "lib"))
    file = directory / mutant.file
    file.write_text(mutant.applied_to(file.read_text(encoding="utf-8")), encoding="utf-8")
    command = [sys.executable, "-m", "tests.simulation", "--no-shrink", "--stop"]
    command += ["--first", str(first), "--seeds", str(seeds)]
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.match(r"seed (\d+): ", done.stdout)
    if done.returncode != NOTICED or failed is None:
        raise NotNoticedError(f"{mutant.name}: {seeds} seeds from {first} on: {done.stdout}{done.stderr}")
    return int(failed[1])


def table(mutants: tuple[Mutant, ...]) -> str:
    """What ``docs/correctness.md`` says of them."""
    lines = ["| rule | broken on purpose | where | noticed at seed |", "| --- | --- | --- | --- |"]
    lines += [f"| {mutant.rule} | {mutant.name} | `{mutant.file}` | {mutant.seed} |" for mutant in mutants]
    return "\n".join(lines) + "\n"


def write(mutants: tuple[Mutant, ...]) -> None:
    """Keep the seeds, here and in the document."""
    seeds = iter(mutants)
    text = FILE.read_text(encoding="utf-8")
    FILE.write_text(re.sub(r"(?m)^  seed: \d+$", lambda _: f"  seed: {next(seeds).seed}", text), encoding="utf-8")
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(TABLE.sub(lambda _: table(mutants), document), encoding="utf-8")


def main(seeds: Annotated[int, typer.Option(help="Tried per mutant.")] = 3000) -> None:
    """Find for each mutant the first seed that notices it, and keep it; exit 1 if one is passed over."""
    found: list[Mutant] = []
    for mutant in MUTANTS:
        with tempfile.TemporaryDirectory() as directory:
            try:
                found.append(replace(mutant, seed=notice(mutant, Path(directory), 0, seeds)))
            except NotNoticedError as error:
                typer.echo(f"NOT NOTICED: {error}", err=True)
                continue
        typer.echo(f"rule {mutant.rule}, seed {found[-1].seed}: {mutant.name}")
    if len(found) < len(MUTANTS):
        raise typer.Exit(1)
    write(tuple(found))


if __name__ == "__main__":
    typer.run(main)
