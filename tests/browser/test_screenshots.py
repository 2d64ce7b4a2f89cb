"""What the map looks like with a lively game: the pictures of the README."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.showing import DESK, PHONE, Showing, Visitor
from tests.integration.waiting import eventually

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLAYERS, LEVELS, RATE = 400, 30, 80
HASTE = "40"  # of the players: with an idle timeout of so many seconds they move on quickly
WAIT_SECONDS = 240.0
SETTLE_MS = 6000
CURVE_MINUTES, CURVE_SECONDS = 6, 480.0
MOST_BYTES = 600_000
PICTURES = {
    "map": (DESK, "light", 1.0, ""),
    "map-dark": (DESK, "dark", 1.0, ""),
    "map-phone": (PHONE, "light", 2.0, ""),
}


def minutes(showing: Showing) -> int:
    """How many the history has of all players."""
    return sum(average is not None for average in showing.ask("history")["total"])


def test_a_lively_game(chromium: Browser, showing: Showing, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "headcount.demo.send", "--players", str(PLAYERS), "--levels", str(LEVELS)]
    environment = {**showing.site.environment, "HEADCOUNT_METRICS_PORT": "0", "HEADCOUNT_IDLE_TIMEOUT_SECONDS": HASTE}
    with subprocess.Popen([*command, "--rate", str(RATE)], env=environment, stderr=subprocess.DEVNULL) as traffic:
        try:
            eventually(lambda: len(showing.counts()) > 0.8 * LEVELS, WAIT_SECONDS, "players in most levels")
            eventually(lambda: sum(showing.counts().values()) > PLAYERS / 2, WAIT_SECONDS, "many players")
            where = tmp_path
            if request.config.getoption("--write-screenshots"):
                where = DOCS
                eventually(lambda: minutes(showing) >= CURVE_MINUTES, CURVE_SECONDS, "minutes of history")
            for name, (size, scheme, scale, level) in PICTURES.items():
                with Visitor(chromium, showing.address + level, size, scheme, scale) as visitor:
                    visitor.page.wait_for_timeout(SETTLE_MS)
                    visitor.page.screenshot(path=where / f"{name}.png")
                    assert visitor.errors == []
                    assert 10_000 < (where / f"{name}.png").stat().st_size < MOST_BYTES
        finally:
            traffic.terminate()
