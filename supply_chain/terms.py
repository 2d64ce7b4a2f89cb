"""docs/licences.md: the tables between its markers are made from what the locks name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from supply_chain.inventory import KCL, ROOT, Component, shipped

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = ROOT / "docs" / "licences.md"
_GENERATED: Final = re.compile(r"(?<=<!-- licences -->\n).*(?=<!-- /licences -->)", re.DOTALL)
_ROW: Final = re.compile(r"^\| (?P<name>\S+) \| (?P<version>[0-9]\S*) \|", re.MULTILINE)


def tables() -> str:
    """Everything that ships, in Markdown; the images of the KCL ship all that the others do."""
    components = shipped(KCL)
    packages = [component for component in components if component.purl.type == "pypi"]
    jars = [component for component in components if component.purl.type == "maven"]
    return f"\n### Python packages\n\n{_table(packages)}\n### Jars\n\n{_table(jars)}\n"


def rewrite(page: Path = PAGE) -> bool:
    """Put the tables into the page; whether it has changed."""
    old = page.read_text(encoding="utf-8")
    new = _GENERATED.sub(lambda _: tables(), old)
    page.write_text(new, encoding="utf-8")
    return new != old


def generated(page: Path = PAGE) -> str:
    """What stands between the page's markers."""
    found = _GENERATED.search(page.read_text(encoding="utf-8"))
    return found[0] if found else ""


def versions(text: str) -> dict[str, str]:
    """What the tables name, with the version they give."""
    return {row["name"]: row["version"] for row in _ROW.finditer(text)}


def _table(components: list[Component]) -> str:
    rows = ["| name | version | licence | told by |", "| --- | --- | --- | --- |"]
    for component in components:
        licence = component.licence
        told = f"{licence.expression} | {licence.told_by}" if licence else " | "
        rows.append(f"| {component.name} | {component.version} | {told} |")
    return "\n".join(rows) + "\n"
