"""Terraform's own checks of `deploy/terraform`: format, validity, the module's tests against a mocked provider.

Needs `terraform` on the PATH. The provider comes from the folder that ``TF_PLUGIN_DIR`` names, else from where
Terraform's configuration says, by default its registry; where that can't be reached, these skip and say so.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy" / "terraform"
MODULE = "modules/headcount"
UNREACHABLE = "Failed to query available provider packages"
ROOTS = [MODULE, *sorted(f"examples/{folder.name}" for folder in (DEPLOY / "examples").iterdir() if folder.is_dir())]


def terraform(folder: Path, *arguments: str) -> str:
    """What the command prints; fails the test with it where the command fails."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip(
            "NOT TESTED: deploy/terraform was neither validated nor tested: there is no `terraform` on the PATH; "
            "install Terraform 1.9 or newer"
        )
    # No credentials: nothing here may reach an account.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [program, f"-chdir={folder}", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
        env=environment | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"},
    )
    printed = ended.stdout + ended.stderr
    if ended.returncode != 0 and UNREACHABLE in " ".join(printed.split()) and "TF_PLUGIN_DIR" not in os.environ:
        pytest.skip(
            "NOT TESTED: deploy/terraform was not validated: no registry gives the AWS provider; set TF_PLUGIN_DIR"
        )
    if ended.returncode != 0:
        pytest.fail(f"terraform {' '.join(arguments)} in {folder}:\n{printed}", pytrace=False)
    return ended.stdout


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree in a folder of its own: what `init` leaves must not lie about in the repository."""
    folder = tmp_path_factory.mktemp("terraform") / "terraform"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns(".terraform", ".terraform.lock.hcl"))
    return folder


def initialized(copied: Path, root: str) -> Path:
    plugins = os.environ.get("TF_PLUGIN_DIR")
    terraform(copied / root, "init", "-backend=false", "-input=false", *([f"-plugin-dir={plugins}"] if plugins else []))
    return copied / root


def test_files_are_formatted() -> None:
    assert terraform(DEPLOY, "fmt", "-check", "-recursive", "-diff") == ""


@pytest.mark.parametrize("root", ROOTS)
def test_is_valid(copied: Path, root: str) -> None:
    terraform(initialized(copied, root), "validate")


def test_module_passes_its_own_tests(copied: Path) -> None:
    printed = terraform(initialized(copied, MODULE), "test", "-no-color")
    assert ", 0 failed" in printed, printed
