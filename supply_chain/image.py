"""What only a built image can tell: Debian's packages, its Python and its Java, and whether the locks are true."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import Any, Final

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from supply_chain.inventory import Component, Contents, InventoryError, locked_packages
from supply_chain.licences import Licence

OURS: Final = "headcount"
_DEBIAN_QUERY: Final = "${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Status}\\n"

# Run by the image's own Python: it needs no shell, and sees what the services see.
_PROBE: Final = """
import json, pathlib, platform, site, sys, sysconfig
from importlib.metadata import distributions
def found(path):
    return {each.metadata["Name"]: each.version for each in distributions(path=[path])}
release = pathlib.Path("/opt/java/release")
print(json.dumps({
    "python": platform.python_version(),
    "debian": platform.freedesktop_os_release().get("VERSION_ID", ""),
    "java": release.read_text() if release.is_file() else "",
    "packages": found(sysconfig.get_path("purelib")),
    "base": found(site.getsitepackages([sys.base_prefix])[0]) if sys.prefix != sys.base_prefix else {},
}))
"""


@dataclass(frozen=True, slots=True)
class Built:
    """What an image says of itself."""

    debian_version: str
    debian_packages: list[tuple[str, str, str]]
    python: str
    java_release: str
    packages: dict[str, str]
    base_packages: dict[str, str]


def look_into(image: str) -> Built:
    """Ask a local image.

    Raises:
        InventoryError: There is no such image here, or it has no dpkg or no Python.
    """
    probed: dict[str, Any] = json.loads(_run(image, "python", "-I", "-c", _PROBE))
    rows = [row.split("\t") for row in _run(image, "dpkg-query", "-W", f"-f={_DEBIAN_QUERY}").splitlines()]
    return Built(
        debian_version=probed["debian"],
        debian_packages=[(name, version, arch) for name, version, arch, status in rows if status == "installed"],
        python=probed["python"],
        java_release=probed["java"],
        packages=probed["packages"],
        base_packages=probed["base"],
    )


def components(built: Built) -> list[Component]:
    """Debian's packages, CPython with what it brings along, and the JRE: none of them is in a lock."""
    distro = {"distro": f"debian-{built.debian_version}"}
    found = [
        Component(PackageURL("deb", "debian", name, version, {"arch": arch, **distro}))
        for name, version, arch in sorted(built.debian_packages)
    ]
    found.append(Component(PackageURL("generic", name="cpython", version=built.python), licence=_told("PSF-2.0")))
    found += [
        Component(PackageURL("pypi", name=name, version=version))
        for name, version in sorted(built.base_packages.items())
    ]
    if built.java_release:
        version = re.search(r'^JAVA_(?:RUNTIME_)?VERSION="(.+)"$', built.java_release, re.MULTILINE)
        if version is None:
            raise InventoryError("/opt/java/release of the image names no JAVA_VERSION: what made that JRE?")
        licence = _told("GPL-2.0-only WITH Classpath-exception-2.0")
        found.append(Component(PackageURL("generic", name="openjdk", version=version[1]), licence=licence))
    return found


def check_locked(image: str, built: Built, contents: Contents) -> None:
    """See that the image's Python packages are those of its lock and no others.

    Raises:
        InventoryError: One is missing, unknown or of another version.
    """
    locked = {canonicalize_name(package.name): package.version for package in locked_packages(contents.lock)}
    present = {canonicalize_name(name): version for name, version in built.packages.items() if name != OURS}
    for name in sorted(locked.keys() | present.keys()):
        if locked.get(name) != present.get(name):
            raise InventoryError(
                f"image {image} has {name} {present.get(name, 'not at all')}, {contents.lock.name} has it "
                f"{locked.get(name, 'not at all')}: build the image anew"
            )


def _told(expression: str) -> Licence:
    return Licence(expression, "its project")


def _run(image: str, program: str, *arguments: str) -> str:
    limits = ("--rm", "--pull=never", "--network=none", "--read-only", "--cap-drop=ALL")
    command = ["docker", "run", *limits, "--entrypoint", program, image, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603 - our own images
    except subprocess.CalledProcessError as error:
        raise InventoryError(f"image {image} can't be asked: {' '.join(error.stderr.split())}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InventoryError(f"image {image} can't be asked: {error}") from error
    return done.stdout
