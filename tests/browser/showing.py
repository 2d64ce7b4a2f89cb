"""What the browser tests look at: a game's services, and what the page shows of it."""

from __future__ import annotations

import time
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.integration.events import level_event
from tests.integration.waiting import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request

    from tests.integration.service import Service
    from tests.integration.sites import Site

Counts = dict[str, int]

PHONE = (390, 844)
DESK = (1440, 900)
WAIT_SECONDS = 180.0  # far more than anything takes: only what never comes is waited for so long


class Showing:
    """A game's services; ``map`` is the one that serves the page."""

    def __init__(self, site: Site, port: int) -> None:
        self.site, self.port = site, port
        self.consumer = site.start("consumer")
        for name in ("level_aggregator", "pruner"):
            site.start(name)
        self.map = self.start_map()

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def start_map(self) -> Service:
        """Start the map, on the port that it always has."""
        self.map = self.site.start(
            "game_map", HEADCOUNT_MAP_PORT=str(self.port), HEADCOUNT_MAP_RATE="1000", HEADCOUNT_MAP_OPS="true"
        )
        return self.map

    def wait_until_ready(self) -> None:
        """Until the map answers whatever its page asks: it is ready before it has looked up the history."""
        self.map.wait_until_ready(WAIT_SECONDS)
        eventually(lambda: self._status("history") == HTTPStatus.OK, WAIT_SECONDS, "the history")

    def _status(self, path: str) -> int:
        return httpx.get(f"{self.address}api/{path}", trust_env=False, timeout=WAIT_SECONDS).status_code

    def enter(self, player: str, level: str) -> None:
        """One player goes to a level."""
        self.site.put(0, level_event(player, level, time.time_ns() // 1_000_000))

    def counts(self) -> Counts:
        """LevelState now."""
        return {level: row.players for level, row in self.site.counts.levels().items() if row.players}

    def ask(self, path: str) -> Any:
        """What the map answers."""
        return httpx.get(f"{self.address}api/{path}", trust_env=False, timeout=WAIT_SECONDS).raise_for_status().json()

    def made(self, source: str, target: str) -> int:
        """How often a move was made, as the map tells it."""
        told = self.ask("transitions?minutes=60")["transitions"]
        return sum(move["count"] for move in told if (move.get("from"), move.get("to")) == (source, target))


def open_context(
    browser: Browser, size: tuple[int, int] = DESK, scheme: str = "light", scale: float = 1
) -> BrowserContext:
    """A browser of one's own, which waits as long as these tests do."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=scale,
    )
    context.set_default_timeout(1000 * WAIT_SECONDS)
    return context


class Visitor:
    """Who looks at the page; notes what goes wrong on it, and what it loads."""

    def __init__(
        self, browser: Browser, address: str, size: tuple[int, int] = DESK, scheme: str = "light", scale: float = 1
    ) -> None:
        self._context = open_context(browser, size, scheme, scale)
        self.page: Page = self._context.new_page()
        self.errors: list[str] = []
        self._finished: list[Request] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))
        self.page.on("requestfinished", self._note)
        self.page.goto(address)
        self.page.wait_for_selector("body[data-state=live], body[data-state=late]")

    def _note(self, request: Request) -> None:
        self._finished.append(request)

    def loaded(self) -> dict[str, int]:
        """The size of each answer, by address; asked for now, as a page that is being closed does not tell it."""
        sizes = {request.url: request.sizes() for request in self._finished.copy()}
        return {url: size["responseBodySize"] + size["responseHeadersSize"] for url, size in sizes.items()}

    def on_the_map(self) -> Counts:
        """Counts as the islands have them."""
        return self._counts("#map .place")

    def places(self) -> dict[str, tuple[float, float]]:
        """Where the islands lie, in pixels."""
        read = (
            "(all) => Object.fromEntries(all.map((one) => "
            "[one.dataset.level, one.getAttribute('transform').match(/[-0-9.]+/g).map(Number)]))"
        )
        found = self.page.eval_on_selector_all("#map .place", read)
        return {level: (x, y) for level, (x, y) in found.items()}

    def in_the_list(self) -> Counts:
        """Counts as the list has them."""
        return self._counts("#levels button")

    def total(self) -> int:
        """All players."""
        return int(self.page.get_attribute("#total", "data-total") or -1)

    def banner(self) -> str:
        """The warning that is shown; empty: none is."""
        banner = self.page.locator("#banner")
        return banner.inner_text() if banner.is_visible() else ""

    def _counts(self, where: str) -> Counts:
        read = "(all) => Object.fromEntries(all.map(({dataset}) => [dataset.level, Number(dataset.players)]))"
        found: Counts = self.page.eval_on_selector_all(where, read)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()


class Moves:
    """Players who move one after the other: so ``states`` has all that LevelState ever was, oldest first."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._levels = {player: row.level for player, row in showing.site.players.all()}
        self.states: list[Counts] = [dict(Counter(self._levels.values()))]
        self._wait()

    def make(self, player: str, level: str) -> None:
        """Move a player; returns once LevelState says so."""
        counts = Counter(self.states[-1])
        counts[self._levels.get(player, "")] -= 1
        counts[level] += 1
        self._levels[player] = level
        self._showing.enter(player, level)
        self.states.append(dict(+counts))
        self._wait()

    def _wait(self) -> None:
        eventually(lambda: self._showing.counts() == self.states[-1], WAIT_SECONDS, f"LevelState as {self.states[-1]}")
