"""What the map looks like with a lively game: the pictures of the README."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.showing import DESK, PHONE, Showing, Visitor
from tests.integration.waiting import eventually

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLAYERS, LEVELS, RATE = 300, 30, 40
WAIT_SECONDS = 240.0
SETTLE_MS = 6000
MOST_BYTES = 400_000
PICTURES = {
    "map": (DESK, "light", 1.0, ""),
    "map-dark": (DESK, "dark", 1.0, ""),
    "map-phone": (PHONE, "light", 2.0, ""),
}


def test_a_lively_game(chromium: Browser, showing: Showing, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "headcount.demo.send", "--players", str(PLAYERS), "--levels", str(LEVELS)]
    environment = {**showing.site.environment, "HEADCOUNT_METRICS_PORT": "0"}
    with subprocess.Popen([*command, "--rate", str(RATE)], env=environment, stderr=subprocess.DEVNULL) as traffic:
        try:
            eventually(lambda: len(showing.counts()) >= LEVELS, WAIT_SECONDS, "players in all levels")
            eventually(lambda: sum(showing.counts().values()) > PLAYERS / 2, WAIT_SECONDS, "many players")
            where = DOCS if request.config.getoption("--write-screenshots") else tmp_path
            for name, (size, scheme, scale, level) in PICTURES.items():
                with Visitor(chromium, showing.address + level, size, scheme, scale) as visitor:
                    visitor.page.wait_for_timeout(SETTLE_MS)
                    visitor.page.screenshot(path=where / f"{name}.png")
                    assert visitor.errors == []
                    assert 10_000 < (where / f"{name}.png").stat().st_size < MOST_BYTES
        finally:
            traffic.terminate()
