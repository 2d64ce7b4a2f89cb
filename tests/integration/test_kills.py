"""The demo under kill -9 every 10 s, and under a person's Ctrl-C: exact either way, and no process stays behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest

from tests.conftest import Measure
from tests.integration.service import is_alive
from tests.integration.waiting import eventually

RUN_SECONDS = 420.0
COUNTING_SECONDS = 120.0
GONE_SECONDS = 5.0
OPTIONS = "--players 60 --levels 6 --rate 80 --idle-timeout 10"
MARK = "TEST_RUN_OF_THE_DEMO"  # every process inherits it


class Demo:
    """A run of the demo in a process group of its own, as a shell starts it."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.report = directory, directory / "report.json"
        self.output = directory / "output"
        command = [sys.executable, "-m", "headcount.demo", *OPTIONS.split(), *options, "--json", str(self.report)]
        command += ["--logs", str(directory / "logs")]
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, MARK: str(directory)},
            )

    def counts(self) -> bool:
        """Whether the screen says that counts have begun to move."""
        return "counting" in self.output.read_text(errors="replace")

    def map_shows(self, browser: httpx.Client) -> bool:
        """Whether the map is where the screen says, and has players on it."""
        [told, *_] = re.findall(r"The map is at (\S+)", self.output.read_text(errors="replace")) or [""]
        with suppress(httpx.HTTPError):
            return bool(told) and browser.get(told + "api/levels").json().get("total", 0) > 0
        return False

    def result(self) -> dict[str, Any]:
        """The report, once it has ended well and left nothing."""
        code = self.process.wait(RUN_SECONDS)
        assert code == 0, self.output.read_text(errors="replace")[-3000:]
        eventually(lambda: not self.processes(), GONE_SECONDS, f"no process of the demo left but {self.processes()}")
        report: dict[str, Any] = orjson.loads(self.report.read_bytes())
        return report

    def processes(self) -> list[psutil.Process]:
        """Every process whose environment or command line is this run's."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if not is_alive(process):
                    continue
                mine = process.environ().get(MARK) == str(self.directory)
                if mine or any(str(self.directory) in argument for argument in process.cmdline()):
                    found.append(process)
        return found

    def end(self) -> None:
        """Kill what is left, for when a test failed."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Demo]]:
    """Both runs side by side: for most of the time each waits."""
    runs = {
        "killed": Demo(tmp_path_factory.mktemp("killed"), "--seconds", "75", "--kill"),
        "interrupted": Demo(tmp_path_factory.mktemp("interrupted"), "--seconds", "300"),
    }
    yield runs
    for run in runs.values():
        run.end()


def test_ctrl_c_drains_and_compares(demos: dict[str, Demo], measure: Measure) -> None:
    """In the middle of traffic; a terminal sends it to the whole foreground group."""
    demo = demos["interrupted"]
    eventually(demo.counts, COUNTING_SECONDS, "the demo to count")
    with httpx.Client(trust_env=False, timeout=5) as browser:
        eventually(lambda: demo.map_shows(browser), COUNTING_SECONDS, "the map to show players")
    begun = time.monotonic()
    os.killpg(demo.process.pid, signal.SIGINT)
    told = demo.result()
    measure("demo from Ctrl-C to its end", time.monotonic() - begun)
    assert told["exact"] is True, told["differences"]
    assert told["exit_codes"] == {"consumer": 0, "level_aggregator": 0, "pruner": 0, "game_map": 0}


def test_kills_leave_everything_exact(demos: dict[str, Demo], measure: Measure) -> None:
    """Kill -9 of a random service, daemon or worker."""
    told = demos["killed"].result()
    for kill in told["kills"]:
        measure(f"demo: longest standstill after kill -9 of {kill['target']}", kill["standstill"])
    assert told["exact"] is True, told["differences"]
    assert told["invariants"] == dict.fromkeys(("I1", "I2", "I3", "I4", "I5", "I6"), True)
    assert len(told["kills"]) >= 2
    assert told["processes_left"] == 0
