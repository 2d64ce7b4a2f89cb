"""A person's and CI's commands: ``python -m supply_chain sbom | licences | audit``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from supply_chain import ignored, image, terms
from supply_chain.advisories import OSV, Finding, NotCheckedError, of_jars, of_packages
from supply_chain.bill import bill
from supply_chain.inventory import IMAGES, REQUIREMENTS, ROOT, Component, InventoryError, shipped, shipped_jars
from supply_chain.licences import UnknownLicenceError

EXIT_FAILED = 1  # something can't be told; or, of audit: something is vulnerable
EXIT_NOT_CHECKED = 69

# The first holds all that ships, and what we develop with; the other builds it.
AUDITED = (REQUIREMENTS / "dev.lock", REQUIREMENTS / "build.lock")

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What Headcount ships of others.")


@app.command()
def sbom(
    images: Annotated[
        list[str] | None,
        typer.Option("--image", help="Which of ours, and its name here: consumer=headcount-consumer."),
    ] = None,
    folder: Annotated[Path, typer.Option("--to", help="Where the documents go.")] = ROOT / "build" / "sbom",
) -> None:
    """Write one CycloneDX document per image: by the locks, and by what a built image tells, where one is given."""
    built = {which: name for which, _, name in (given.partition("=") for given in images or [])}
    if unknown := built.keys() - IMAGES.keys():
        raise typer.BadParameter(f"--image takes {', '.join(IMAGES)}, not {', '.join(sorted(unknown))}")
    made: dict[str, list[Component]] = {}
    try:
        for name, contents in IMAGES.items():
            made[name] = shipped(contents)
            if name in built:
                looked = image.look_into(built[name])
                image.check_locked(built[name], looked, contents)
                made[name] += image.components(looked)
    except (InventoryError, UnknownLicenceError) as error:
        _fail(str(error), EXIT_FAILED)
    folder.mkdir(parents=True, exist_ok=True)
    for name, components in made.items():
        file = folder / f"{name}.cdx.json"
        file.write_text(bill(name, version("headcount"), components), encoding="utf-8")
        by = "locks and image" if name in built else "locks alone: no Debian packages, Python or Java"
        typer.echo(f"{file}: {len(components)} components, by {by}")


@app.command()
def licences() -> None:
    """Write the tables of docs/licences.md anew."""
    try:
        changed = terms.rewrite()
    except (InventoryError, UnknownLicenceError) as error:
        _fail(str(error), EXIT_FAILED)
    typer.echo(f"docs/licences.md: {'written anew' if changed else 'is up to date'}")


@app.command()
def audit(osv: Annotated[str, typer.Option(help="Where OSV answers.")] = OSV) -> None:
    """Ask OSV for known vulnerabilities: exit 1 if there are any, 69 if not everything could be looked up."""
    checks: list[Callable[[], set[Finding]]] = [partial(of_packages, lock, osv) for lock in AUDITED]
    checks.append(lambda: of_jars(shipped_jars(), osv))
    findings: set[Finding] = set()
    not_checked: list[str] = []
    for check in checks:
        try:
            findings |= check()
        except (NotCheckedError, InventoryError) as error:
            not_checked.append(str(error))
    counting, passing, unused = ignored.split(findings, ignored.load(), datetime.now(UTC).date())
    for finding in passing:
        typer.echo(f"let pass by ignored.toml: {finding}")
    for entry in unused if not not_checked else []:
        typer.echo(f"ignored.toml names {entry.advisory} of {entry.component} until {entry.until}: of no use any more")
    for finding in counting:
        typer.echo(f"VULNERABLE: {finding}", err=True)
    for why in not_checked:
        typer.echo(f"NOT CHECKED: {why}", err=True)
    if counting:
        raise typer.Exit(EXIT_FAILED)
    if not_checked:
        _fail("this says nothing about vulnerabilities: it was not checked", EXIT_NOT_CHECKED)
    typer.echo("No known vulnerability in the locked packages and jars.")


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(f"supply_chain: {line}", err=True)
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
