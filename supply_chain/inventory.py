"""What each image ships, by the locks: Python packages and jars, each with version, checksums and licence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packageurl import PackageURL
from packaging.requirements import Requirement

from headcount.kcl.java import lock, runtime
from supply_chain.jars import Jar
from supply_chain.licences import Licence, licence_of_jar, licence_of_package

ROOT: Final = Path(__file__).parents[1]
REQUIREMENTS: Final = ROOT / "requirements"

# Images run Linux, wherever this runs.
_LINUX: Final = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}


@dataclass(frozen=True, slots=True)
class Contents:
    """What an image is made of: a lock of Python packages, and the jars or none."""

    lock: Path
    jars: bool


BASE: Final = Contents(REQUIREMENTS / "base.lock", jars=False)
KCL: Final = Contents(REQUIREMENTS / "kcl.lock", jars=True)
# By the targets of docker/Dockerfile.
IMAGES: Final = {"consumer": KCL, "level_aggregator": KCL, "pruner": BASE, "game_map": BASE, "tools": BASE}


class InventoryError(Exception):
    """What is locked can't be told of; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """A pinned Python package; ``sha256`` are those of all its files, of which an image installs one."""

    name: str
    version: str
    sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Component:
    """Something that an image ships and others wrote."""

    purl: PackageURL
    sha256: tuple[str, ...] = ()
    licence: Licence | None = None

    @property
    def name(self) -> str:
        """As its community writes it: ``group:artifact`` for a jar."""
        return f"{self.purl.namespace}:{self.purl.name}" if self.purl.type == "maven" else self.purl.name

    @property
    def version(self) -> str:
        """The version that ships."""
        return self.purl.version or ""


def locked_packages(file: Path) -> list[LockedPackage]:
    """The packages of a lock that are installed on Linux."""
    packages = []
    for line in file.read_text().replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        what, *sha256 = re.split(r"\s+--hash=sha256:", line.strip())
        requirement = Requirement(what)
        if requirement.marker is None or requirement.marker.evaluate(dict(_LINUX)):
            [pin] = requirement.specifier
            packages.append(LockedPackage(requirement.name, pin.version, tuple(sorted(sha256))))
    return packages


def shipped(contents: Contents) -> list[Component]:
    """All that the locks name for an image; jars come after the packages.

    Raises:
        InventoryError: What is installed here is not what is locked, so its licence can't be told.
    """
    components = [_package(package) for package in locked_packages(contents.lock)]
    return components + (shipped_jars() if contents.jars else [])


def shipped_jars() -> list[Component]:
    """The jars of amazon-kclpy, and those that our entry point adds; neither compiler nor emulator ships."""
    entries = [(entry, runtime.kclpy_jars() / entry.name) for entry in lock.section("kclpy")]
    for entry in lock.section("runtime"):
        _, artifact, version, _, extension = entry.coordinates
        entries.append((entry, runtime.LIB / f"{artifact}-{version}.{extension}"))
    return sorted((_jar(entry, file) for entry, file in entries), key=lambda jar: jar.name)


def _package(package: LockedPackage) -> Component:
    try:
        installed = distribution(package.name)
    except PackageNotFoundError:
        raise InventoryError(f"{package.name} is locked, but not installed here: make install") from None
    if installed.version != package.version:
        raise InventoryError(f"{package.name} {package.version} is locked, {installed.version} installed: make install")
    purl = PackageURL("pypi", name=package.name, version=package.version)
    return Component(purl, package.sha256, licence_of_package(installed))


def _jar(entry: lock.Locked, file: Path) -> Component:
    if not entry.is_content_of(file):
        raise InventoryError(f"{entry.name} is missing or not the locked one: make install")
    jar = Jar(file)
    purl = PackageURL("maven", jar.group, jar.artifact, jar.version)
    return Component(purl, (entry.sha256,), licence_of_jar(jar))
