"""Known vulnerabilities that are let pass: ignored.toml."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supply_chain.advisories import Finding

IGNORED: Final = Path(__file__).parent / "ignored.toml"


class Ignored(BaseModel):
    """One that is let pass up to a day, that day included."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    advisory: str = Field(min_length=1)
    component: str = Field(min_length=1)
    reason: str = Field(min_length=20)
    until: date

    def covers(self, finding: Finding, today: date) -> bool:
        """Whether it lets this one pass today."""
        names = {finding.advisory, *finding.aliases}
        return self.component == finding.component and self.advisory in names and today <= self.until


def load(file: Path = IGNORED) -> list[Ignored]:
    """All that are let pass; raises ``pydantic.ValidationError`` if one lacks its reason or its day."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return [Ignored.model_validate(each) for each in content.get("ignored", [])]


def split(
    findings: Iterable[Finding], ignored: Iterable[Ignored], today: date
) -> tuple[list[Finding], list[Finding], list[Ignored]]:
    """Findings that count, findings that are let pass, and entries that let nothing pass (any more)."""
    entries = list(ignored)
    counting: list[Finding] = []
    passing: list[Finding] = []
    used: set[Ignored] = set()
    for finding in sorted(findings):
        covering = [entry for entry in entries if entry.covers(finding, today)]
        used.update(covering)
        (passing if covering else counting).append(finding)
    return counting, passing, [entry for entry in entries if entry not in used]
