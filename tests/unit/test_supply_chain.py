"""What ships: the locks agree, every licence is known and allowed, and the bills of materials name all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from supply_chain import terms
from supply_chain.__main__ import app
from supply_chain.bill import bill
from supply_chain.image import Built, check_locked, components
from supply_chain.inventory import (
    IMAGES,
    KCL,
    REQUIREMENTS,
    Contents,
    InventoryError,
    locked_packages,
    shipped,
    shipped_jars,
)
from supply_chain.licences import is_allowed

# --- Locks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "whole"), [("base", "kcl"), ("kcl", "dev")])
def test_a_lock_is_part_of_the_one_it_is_tested_with(part: str, whole: str) -> None:
    inside, outside = (set(locked_packages(REQUIREMENTS / f"{name}.lock")) for name in (part, whole))
    assert inside <= outside  # versions and checksums too


def test_every_locked_package_has_a_checksum() -> None:
    assert all(
        package.sha256 for name in ("dev", "build") for package in locked_packages(REQUIREMENTS / f"{name}.lock")
    )


def test_what_only_other_systems_install_does_not_ship(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text("one==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:aa\ntwo==2.0 \\\n    --hash=sha256:bb\n")
    assert [package.name for package in locked_packages(lock)] == ["two"]


# --- Licences ---------------------------------------------------------------------------------------------------------


def test_the_licence_page_names_what_the_locks_name() -> None:
    named = terms.versions(terms.generated())
    expected = {package.name: package.version for package in locked_packages(KCL.lock)}
    expected |= {jar.name: jar.version for jar in shipped_jars()}
    assert named == expected


def test_the_licence_page_is_what_packages_and_jars_say() -> None:
    assert terms.generated() == terms.tables(), "make licences"


def test_everything_that_ships_is_under_a_licence_we_allow() -> None:
    refused = [part for part in shipped(KCL) if part.licence is None or not is_allowed(part.licence.expression)]
    assert not refused


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("EPL-1.0 OR LGPL-2.1-only", True),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("MPL-2.0 AND (Apache-2.0 OR GPL-2.0-only)", True),
    ],
)
def test_of_an_or_one_side_must_be_allowed_and_of_an_and_all(expression: str, *, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


# --- Bills of materials -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("image", IMAGES)
def test_a_bill_names_each_component_once_with_purl_version_checksum_and_licence(image: str) -> None:
    document = json.loads(bill(image, "1.2.3", shipped(IMAGES[image])))
    assert document["specVersion"] == "1.6"
    assert document["metadata"]["component"]["name"] == image
    entries = document["components"]
    purls = [entry["purl"] for entry in entries]
    assert sorted(purls) == sorted(str(component.purl) for component in shipped(IMAGES[image]))
    assert len(set(purls)) == len(purls)
    for entry in entries:
        hashes = entry.get("hashes") or entry["externalReferences"][0]["hashes"]
        assert {each["alg"] for each in hashes} == {"SHA-256"}
        assert entry["version"]
        assert entry["licenses"]


def test_only_the_images_of_the_kcl_ship_jars() -> None:
    with_jars = {name for name, contents in IMAGES.items() if "maven" in {part.purl.type for part in shipped(contents)}}
    assert with_jars == {"consumer", "level_aggregator"}


def built(**packages: str) -> Built:
    return Built(
        debian_version="12",
        debian_packages=[("tini", "0.19.0-1+b3", "arm64")],
        python="3.13.0",
        java_release='IMPLEMENTOR="Debian"\nJAVA_VERSION="17.0.17"\nMODULES="java.base"\n',
        packages=packages,
        base_packages={"pip": "24.2"},
    )


def test_an_image_adds_debian_packages_python_and_java() -> None:
    assert [str(component.purl) for component in components(built())] == [
        "pkg:deb/debian/tini@0.19.0-1%2Bb3?arch=arm64&distro=debian-12",
        "pkg:generic/cpython@3.13.0",
        "pkg:pypi/pip@24.2",
        "pkg:generic/openjdk@17.0.17",
    ]


def test_an_image_must_hold_what_its_lock_names(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text("typing-extensions==4.16.0 \\\n    --hash=sha256:aa\n")
    contents = Contents(lock, jars=False)
    check_locked("x", built(typing_extensions="4.16.0", headcount="0.1.0"), contents)
    for wrong in ({}, {"typing_extensions": "4.15.0"}, {"typing_extensions": "4.16.0", "stray": "1"}):
        with pytest.raises(InventoryError, match="build the image anew"):
            check_locked("x", built(**wrong), contents)


def test_an_image_that_is_not_ours_is_refused() -> None:
    done = CliRunner().invoke(app, ["sbom", "--image", "example/other:latest"])
    assert done.exit_code == 2
    assert "level_aggregator" in done.output
