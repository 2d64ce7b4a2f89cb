"""No space is left where the services keep their metrics' files: counts stay right, and the logs say what is wrong."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.fault.conftest import MakeGame
from tests.fault.findings import MOST_SECONDS, Findings
from tests.integration.service import Service
from tests.integration.waiting import eventually

SIZE = 2**21
REFUSED_SECONDS = 60.0
BALLAST = "ballast"
SAYS = "No space left on device, which the metrics of this process need"
NOT_TESTED = "NOT TESTED: a full disk, as no file system can be mounted here"
_BLOCK = 4096


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 2 MB."""
    with tempfile.TemporaryDirectory(prefix="small-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder]
        if subprocess.run(command, check=False, capture_output=True).returncode != 0:
            pytest.skip(NOT_TESTED)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607 (the system's own)


def fill(disk: Path) -> None:
    """Take what space it has left."""
    with (disk / BALLAST).open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(_BLOCK))


def refused(service: Service, disk: Path) -> bool:
    """Whether a worker that could not start said why; takes what space the dead leave, so that none can."""
    fill(disk)
    return SAYS in service.log.read_text()


def test_a_full_disk_changes_no_count(small_disk: Path, make_game: MakeGame, findings: Findings) -> None:
    """What runs goes on counting. What has to start anew can't, says why, and tries again until there is space."""
    on_it = {"TMPDIR": str(small_disk)}
    game = make_game("disk-full", seed=81)
    game.begin(consumer=on_it, level_aggregator=on_it)
    fill(small_disk)
    full = game.counts_again()
    readers = [game.of("consumer"), game.of("level_aggregator")]
    for service in readers:
        daemon = service.daemon()
        assert daemon is not None
        daemon.kill()
    for service in readers:
        eventually(partial(refused, service, small_disk), REFUSED_SECONDS, f"{service.name} to say what it lacks")
        assert service.exit_code() is None
    (small_disk / BALLAST).unlink()
    took = game.counts_again()
    game.drain()
    game.check()
    findings.note("disk full for metrics files, services running", "counted on", full)
    findings.note(
        "disk full for metrics files, daemons killed",
        'said "No space left on device", named the file, tried again',
        took,
    )
    assert took < MOST_SECONDS
