"""What a jar says of itself: its Maven coordinates, and what it tells of its licence."""

from __future__ import annotations

import re
import zipfile
from functools import cached_property
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = re.compile(r"(?P<artifact>.+?)-(?P<version>[0-9].*)\.jar")
_LICENCE_FILE: Final = re.compile(r"META-INF/LICENSE(\.txt)?")

# Jars without a pom.properties of their own.
_GROUPS: Final = {
    "checker-qual": "org.checkerframework",
    "ion-java": "com.amazon.ion",
    "jcommander": "com.beust",
    "protobuf-java": "com.google.protobuf",
    "reactive-streams": "org.reactivestreams",
    "rxjava": "io.reactivex.rxjava3",
    "third-party-jackson-core": "software.amazon.awssdk",
    "third-party-jackson-dataformat-cbor": "software.amazon.awssdk",
}


class Jar:
    """A jar, by its file."""

    def __init__(self, file: Path) -> None:
        named = _NAME.fullmatch(file.name)
        if named is None:
            raise ValueError(f"{file.name} is no artifact-version.jar")
        self.artifact, self.version = named["artifact"], named["version"]
        self._file = file

    @cached_property
    def _texts(self) -> dict[str, str]:
        """All that is of use here, by name; a shaded jar has metadata of others too."""
        wanted = re.compile(rf"META-INF/(MANIFEST\.MF|LICENSE(\.txt)?|maven/[^/]+/{re.escape(self.artifact)}/pom\..+)")
        with zipfile.ZipFile(self._file) as jar:
            names = [name for name in jar.namelist() if wanted.fullmatch(name)]
            return {name: jar.read(name).decode(errors="replace") for name in names}

    @cached_property
    def group(self) -> str:
        """The Maven group."""
        for name, text in self._texts.items():
            if name.endswith("pom.properties") and (found := re.search(r"^groupId=(\S+)", text, re.MULTILINE)):
                return found[1]
        return _GROUPS[self.artifact]

    @property
    def pom_licences(self) -> list[str]:
        """The names of the licences in its own pom.xml; a parent's are not in the jar."""
        poms = [text for name, text in self._texts.items() if name.endswith("pom.xml")]
        # Every jar is locked by content: nobody else's XML comes here.
        found = [node.text for pom in poms for node in ET.fromstring(pom).iterfind("{*}licenses/{*}license/{*}name")]  # noqa: S314
        return [name.strip() for name in found if name]

    @property
    def bundle_licence(self) -> str:
        """What the manifest says; empty if nothing."""
        manifest = re.sub(r"\r?\n ", "", self._texts.get("META-INF/MANIFEST.MF", ""))
        found = re.search(r"^Bundle-License: *(.+?)\r?$", manifest, re.MULTILINE)
        return found[1] if found else ""

    @property
    def licence_text(self) -> str:
        """The licence it carries; empty if none."""
        return next((text for name, text in self._texts.items() if _LICENCE_FILE.fullmatch(name)), "")
