"""What the faults led to, and how long each recovery took: a table for docs/correctness.md, and JSON."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

BEGIN, END = "<!-- faults: begin (made by make faults) -->", "<!-- faults: end -->"
MOST_SECONDS = 15.0


@dataclass(frozen=True)
class Finding:
    """One fault. ``seconds``: each recovery's time; ``settings``: the failover that it was measured with."""

    fault: str
    happened: str
    seconds: tuple[float, ...]
    settings: str

    @property
    def recovery(self) -> str:
        """For a person."""
        if not self.seconds:
            return "nothing stood still"
        most = max(self.seconds)
        if len(self.seconds) == 1:
            return f"{most:.1f} s"
        ordered = sorted(self.seconds)
        return f"{len(ordered)} times: {ordered[len(ordered) // 2]:.1f} s in the median, {most:.1f} s at most"


@dataclass
class Findings:
    """All of a run, in its order."""

    all: list[Finding] = field(default_factory=list)

    def note(self, fault: str, happened: str, *seconds: float, settings: str = "failover 2 s") -> None:
        """Take one in."""
        self.all.append(Finding(fault, happened, seconds, settings))

    def table(self) -> str:
        """In Markdown."""
        head = ["| fault | what happened | time to recover | settings |", "| --- | --- | --- | --- |"]
        rows = [f"Of {datetime.now(UTC):%d %B %Y}.", "", *head]
        rows += [f"| {found.fault} | {found.happened} | {found.recovery} | {found.settings} |" for found in self.all]
        return "\n".join(rows)

    def write(self, page: Path, report: Path) -> None:
        """Put the table between the page's marks, and everything into a file of JSON."""
        text = page.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        assert rest, f"{page} has lost the marks of the table"
        assert after, f"{page} has lost the marks of the table"
        page.write_text(f"{before}{BEGIN}\n\n{self.table()}\n\n{END}{after}", encoding="utf-8")
        report.parent.mkdir(exist_ok=True)
        content = [asdict(found) for found in self.all]
        report.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
