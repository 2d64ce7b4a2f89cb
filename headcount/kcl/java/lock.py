"""jars.lock: every file of Java's that we run, by content."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
LOCK: Final = HERE / "jars.lock"
SECTIONS: Final = frozenset({"runtime", "compiler", "kclpy", "dynamodb-local"})
_COORDINATES: Final = re.compile(r"[^:@]+:[^:@]+:[^:@]+(:[^:@]+)?(@[^:@]+)?")


class BuildError(Exception):
    """Its message is one line that says what is wrong, with which artifact, and what to do."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One line of jars.lock."""

    name: str
    sha256: str
    section: str

    @property
    def coordinates(self) -> tuple[str, str, str, str, str]:
        """Group, artifact, version, classifier (may be empty) and extension."""
        name, _, extension = self.name.partition("@")
        group, artifact, version, *classifier = name.split(":")
        return group, artifact, version, classifier[0] if classifier else "", extension or "jar"

    def is_content_of(self, file: Path) -> bool:
        """Whether the file is there and is the very one that was locked."""
        return file.is_file() and sha256(file.read_bytes()) == self.sha256


def sha256(content: bytes) -> str:
    """The checksum as jars.lock writes it."""
    return hashlib.sha256(content).hexdigest()


def parse(text: str) -> list[Locked]:
    """Read the lines of a lock file; its format is documented at the top of jars.lock.

    Raises:
        BuildError: A line is not of that format.
    """
    locked = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 3 or not re.fullmatch("[0-9a-f]{64}", fields[1]) or fields[2] not in SECTIONS:  # noqa: PLR2004
            raise BuildError(f"jars.lock line {number} is no `name sha256 section`: {line.strip()!r}")
        if fields[2] != "kclpy" and not _COORDINATES.fullmatch(fields[0]):
            raise BuildError(f"jars.lock line {number} is no `group:artifact:version`: {fields[0]!r}")
        locked.append(Locked(*fields))
    return locked


def section(name: str, lock: Path = LOCK) -> list[Locked]:
    """The lines of one section."""
    return [entry for entry in parse(lock.read_text()) if entry.section == name]
