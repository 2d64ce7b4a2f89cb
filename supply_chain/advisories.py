"""What is known to be vulnerable of what ships, by OSV: packages through pip-audit, jars by their coordinates.

A check that could not be made is no clean bill: pip-audit by itself exits 0 when it could look nothing up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests

from supply_chain.inventory import locked_packages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from supply_chain.inventory import Component

OSV: Final = "https://api.osv.dev/v1"
_SECONDS: Final = 30.0
_MOST_PAGES: Final = 20


class NotCheckedError(Exception):
    """Something could not be looked up; the message is one line that says why."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A known vulnerability of something that ships. ``aliases``: its other ids."""

    component: str
    version: str
    advisory: str
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        also = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"{self.component} {self.version}: {self.advisory}{also}"


def of_packages(lock: Path, osv: str = OSV) -> set[Finding]:
    """Findings in a lock of Python packages.

    Raises:
        NotCheckedError: Not every package of the lock was looked up.
    """
    options = ("--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json")
    service = ("--vulnerability-service=osv", f"--osv-url={osv}/query", f"--timeout={_SECONDS:.0f}")
    command = [sys.executable, "-m", "pip_audit", *options, *service, "-r", str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=540, check=False)  # noqa: S603 - a locked tool
        told: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired as error:
        raise NotCheckedError(f"{lock.name}: pip-audit took too long") from error
    except (ValueError, KeyError) as error:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise NotCheckedError(f"{lock.name}: pip-audit gave no result: {last}") from error
    missed = {package.name for package in locked_packages(lock)} - {each["name"] for each in told if "vulns" in each}
    if missed:
        raise NotCheckedError(f"{lock.name}: pip-audit did not look up {', '.join(sorted(missed))}")
    return {
        Finding(each["name"], each["version"], vulnerability["id"], tuple(sorted(vulnerability["aliases"])))
        for each in told
        for vulnerability in each.get("vulns", [])
    }


def of_jars(jars: Iterable[Component], osv: str = OSV) -> set[Finding]:
    """Findings in jars.

    Raises:
        NotCheckedError: OSV did not answer, or not for every jar.
    """
    found: set[Finding] = set()
    waiting = [(jar, {"package": {"purl": str(jar.purl)}}) for jar in jars]
    for _ in range(_MOST_PAGES):
        if not waiting:
            return found
        further = []
        results = _ask(f"{osv}/querybatch", [query for _, query in waiting])
        for (jar, query), result in zip(waiting, results, strict=True):
            found |= {Finding(jar.name, jar.version, advisory["id"]) for advisory in result.get("vulns", [])}
            if token := result.get("next_page_token"):
                further.append((jar, {**query, "page_token": token}))
        waiting = further
    raise NotCheckedError(f"jars.lock: OSV's answer goes on after {_MOST_PAGES} pages")


def _ask(url: str, queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        response = requests.post(url, json={"queries": queries}, timeout=_SECONDS)
        response.raise_for_status()
        results: list[dict[str, Any]] = response.json()["results"]
    except (requests.RequestException, KeyError) as error:
        raise NotCheckedError(f"jars.lock: OSV was not reached: {' '.join(str(error).split())}") from error
    if len(results) != len(queries):
        raise NotCheckedError(f"jars.lock: OSV answered {len(results)} of {len(queries)} questions")
    return results
