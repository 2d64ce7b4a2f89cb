"""A game with real services on MiniStack, its map, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.showing import WAIT_SECONDS, Showing
from tests.integration.service import free_port
from tests.integration.sites import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from headcount.demo.ministack import MiniStack

NOT_TESTED = "NOT TESTED in a browser: no Chromium is installed (Debian: apt-get install chromium)"
NOBODY_LEAVES = "3600"  # longer than the suite: its tests come back to players whom they sent long before
NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--write-screenshots``: those of the README."""
    parser.addoption("--write-screenshots", action="store_true", help="put what the map looks like into docs")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's, headless."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(NOT_TESTED)
    # Its sandbox doesn't let root in.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=1000 * WAIT_SECONDS)  # of its own it takes 5 s, in which a slow page asks once
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=found, args=arguments) as browser:
        yield browser


@pytest.fixture(scope="session")
def game(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showing]:
    """A game with all services, and where its map is."""
    with ExitStack() as stack:
        directory = tmp_path_factory.mktemp("browser")
        settings = {"HEADCOUNT_IDLE_TIMEOUT_SECONDS": NOBODY_LEAVES}
        site = stack.enter_context(Site(ministack.endpoint_url, "browser", directory, shards=1, **settings))
        yield Showing(site, free_port())


@pytest.fixture
def showing(game: Showing) -> Showing:
    """The same, ready."""
    game.wait_until_ready()
    return game
