"""The check for known vulnerabilities, against a stand-in for OSV: what was not looked up is no clean result."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from packageurl import PackageURL
from pydantic import ValidationError
from typer.testing import CliRunner

from supply_chain import ignored
from supply_chain.__main__ import EXIT_FAILED, EXIT_NOT_CHECKED, app
from supply_chain.advisories import Finding, NotCheckedError, of_jars, of_packages
from supply_chain.inventory import Component
from tests.fakes.osv import osv

NETTY = Component(PackageURL("maven", "io.netty", "netty-codec-http", "4.2.7.Final"))
GUAVA = Component(PackageURL("maven", "com.google.guava", "guava", "32.1.1-jre"))
NOBODY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "some.lock"
    file.write_text(f"one==1.0 \\\n    --hash=sha256:{'a' * 64}\ntwo==2.0 \\\n    --hash=sha256:{'b' * 64}\n")
    return file


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_vulnerable_package_is_found(lock: Path) -> None:
    with osv({"two": ["GHSA-2"]}) as url:
        assert of_packages(lock, url) == {Finding("two", "2.0", "CVE-1", ("GHSA-2",))}


def test_packages_that_could_not_be_looked_up_are_no_clean_result(lock: Path) -> None:
    with osv({}, broken=True) as url, pytest.raises(NotCheckedError, match=r"some\.lock"):
        of_packages(lock, url)
    with pytest.raises(NotCheckedError, match=r"some\.lock"):
        of_packages(lock, NOBODY)


def test_vulnerable_jars_are_found_on_every_page_of_the_answer() -> None:
    with osv({str(NETTY.purl): ["GHSA-1", "GHSA-2"]}) as url:
        assert {(found.component, found.advisory) for found in of_jars([GUAVA, NETTY], url)} == {
            ("io.netty:netty-codec-http", "GHSA-1"),
            ("io.netty:netty-codec-http", "GHSA-2"),
        }


def test_jars_that_could_not_be_looked_up_are_no_clean_result() -> None:
    with osv({}, broken=True) as url, pytest.raises(NotCheckedError, match=r"jars\.lock"):
        of_jars([NETTY], url)


def test_the_check_ends_with_a_code_of_its_own_where_it_can_not_be_made() -> None:
    done = CliRunner().invoke(app, ["audit", "--osv", NOBODY])
    assert done.exit_code == EXIT_NOT_CHECKED
    assert "NOT CHECKED: dev.lock" in done.output
    assert "NOT CHECKED: build.lock" in done.output
    assert "NOT CHECKED: jars.lock" in done.output


def test_the_check_tells_what_is_vulnerable_and_fails() -> None:
    with osv({"urllib3": ["GHSA-9"]}) as url:
        done = CliRunner().invoke(app, ["audit", "--osv", url])
    assert done.exit_code == EXIT_FAILED
    assert "VULNERABLE: urllib3" in done.output


def test_the_check_passes_where_all_was_looked_up_and_nothing_is_known() -> None:
    with osv({}) as url:
        done = CliRunner().invoke(app, ["audit", "--osv", url])
    assert done.exit_code == 0


@pytest.mark.parametrize(("day", "passes"), [(date(2030, 1, 31), True), (date(2030, 2, 1), False)])
def test_an_ignored_vulnerability_counts_again_after_its_day(day: date, *, passes: bool) -> None:
    finding = Finding("two", "2.0", "GHSA-2", ("CVE-1",))
    entry = ignored.Ignored(
        advisory="CVE-1", component="two", reason="Only its server is affected.", until=date(2030, 1, 31)
    )
    counting, passing, unused = ignored.split([finding], [entry], day)
    assert (counting, passing) == (([], [finding]) if passes else ([finding], []))
    assert unused == ([] if passes else [entry])


def test_an_ignored_vulnerability_needs_reason_and_day(tmp_path: Path) -> None:
    file = tmp_path / "ignored.toml"
    file.write_text('[[ignored]]\nadvisory = "GHSA-2"\ncomponent = "two"\nreason = "later"\nuntil = 2030-01-31\n')
    with pytest.raises(ValidationError):
        ignored.load(file)


def test_what_is_ignored_can_be_read() -> None:
    assert all(entry.until.year < 2100 for entry in ignored.load())
