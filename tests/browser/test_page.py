"""The page in a real browser, before a real game: it shows what LevelState holds, and says when that is old."""

import math
import random
import statistics
import time
from itertools import permutations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.showing import DESK, PHONE, WAIT_SECONDS, Moves, Showing, Visitor, open_context
from tests.integration.waiting import eventually

PLAYERS, LEVELS = 40, 8
LATE_SECONDS = 240.0  # the page warns after a minute and a half, of what it was as of
EARLY_SECONDS = 30.0
LOOKS = 20
ROUNDS = 12
LIGHT, DARK = "rgb(243, 241, 234)", "rgb(11, 20, 32)"  # the page's paper
LOOK_SECONDS = 0.7
MOST_BYTES = 200_000
OBJECTS = ("constructor", "toString", "hasOwnProperty")  # what every object of JavaScript has
ODD = '<img src=x onerror="alert(1)"> & "quoted"'


@pytest.fixture(autouse=True)
def players(showing: Showing) -> None:
    """Everybody is somewhere."""
    if showing.counts():
        return
    for number in range(PLAYERS):
        showing.enter(f"player-{number}", f"level-{number % LEVELS}")
    eventually(lambda: showing.ask("levels")["total"] == PLAYERS, WAIT_SECONDS, "everybody on the map")


def shows(visitor: Visitor, showing: Showing) -> bool:
    counts = showing.counts()
    return visitor.on_the_map() == visitor.in_the_list() == counts and visitor.total() == sum(counts.values())


def test_counts_are_those_of_level_state_while_players_move(chromium: Browser, showing: Showing) -> None:
    dice = random.Random(3)
    with Visitor(chromium, showing.address) as visitor:
        eventually(lambda: shows(visitor, showing), WAIT_SECONDS, "the counts at rest")
        moves, places = Moves(showing), [0]

        def has_followed() -> bool:
            """Move some players, and look: what is seen was in LevelState, and not before what was seen last."""
            for _ in range(dice.randrange(3)):
                moves.make(f"player-{dice.randrange(PLAYERS)}", f"level-{dice.randrange(LEVELS)}")
            visitor.page.wait_for_timeout(1000 * LOOK_SECONDS)
            places.append(moves.states.index(visitor.in_the_list(), places[-1]))
            return len(places) > LOOKS and len(set(places)) > LOOKS / 4

        eventually(has_followed, WAIT_SECONDS, "the page to show the counts as they change")
        eventually(lambda: shows(visitor, showing), WAIT_SECONDS, "the counts at the end")
        assert visitor.errors == []


def test_levels_lie_near_those_that_players_come_from(chromium: Browser, showing: Showing) -> None:
    for level in ROUNDS * [*range(LEVELS)]:
        showing.enter("walker", f"level-{level}")
    # Told by the map: it may be a look behind the table, and a page asks it once a minute for what lies where.
    eventually(lambda: showing.made("level-0", "level-1") >= ROUNDS, WAIT_SECONDS, "the walk to be told")
    with Visitor(chromium, showing.address) as visitor:

        def are_near() -> bool:
            places = visitor.places()
            far = {(a, b): math.dist(places[a], places[b]) for a, b in permutations(places, 2)}
            steps = [far[f"level-{n}", f"level-{n + 1}"] for n in range(LEVELS - 1)]
            return statistics.mean(steps) < 0.8 * statistics.mean(far.values())

        eventually(are_near, WAIT_SECONDS, "a map by the moves")


def test_names_are_text_whatever_they_are(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, showing.address) as visitor:
        for level in ("level-0", ODD):
            showing.enter("somebody", level)
        for number, level in enumerate(OBJECTS):
            showing.enter(f"object-{number}", level)
        eventually(lambda: {ODD, *OBJECTS} <= visitor.in_the_list().keys(), WAIT_SECONDS, "the odd levels")
        eventually(lambda: shows(visitor, showing), WAIT_SECONDS, "the counts")
        visitor.page.get_by_role("button", name=ODD).click()
        expect(visitor.page.locator("#panel-title")).to_have_text(ODD)
        expect(visitor.page.locator("#panel-in")).to_contain_text("level-0")
        assert visitor.page.locator("img").count() == 0
        assert visitor.errors == []


def test_a_level_is_found_and_read_with_the_keyboard_alone(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, showing.address) as visitor:
        page = visitor.page
        page.locator("#search").focus()
        page.keyboard.type("LEVEL-3")
        expect(page.locator("#levels li:visible")).to_have_count(1)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#panel-title")).to_be_focused()
        expect(page.locator("#panel-players")).to_have_text(str(showing.counts()["level-3"]))
        expect(page).to_have_url(f"{showing.address}#/level-3")
        page.keyboard.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()
        assert page.evaluate("document.activeElement.dataset.level") == "level-3"
        page.locator("#search").fill("no such level")
        expect(page.locator("#none")).to_be_visible()


def test_a_level_has_an_address(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, f"{showing.address}#/level-5") as visitor:
        expect(visitor.page.locator("#panel-title")).to_have_text("level-5")
        visitor.page.locator("#map .place[data-level=level-6] .land").click()
        expect(visitor.page.locator("#panel-title")).to_have_text("level-6")
        visitor.page.get_by_role("button", name="Close").click()
        expect(visitor.page.locator("#panel")).to_be_hidden()
        assert visitor.page.evaluate("location.hash") == ""
        visitor.page.locator("#map .place[data-level=level-2] .land").click()
        expect(visitor.page.locator("#panel-title")).to_have_text("level-2")
        visitor.page.go_back()
        expect(visitor.page.locator("#panel")).to_be_hidden()
        for nowhere in ("#/100%", "#/", "#levels"):
            visitor.page.goto(showing.address + nowhere)
            expect(visitor.page.locator("#panel")).to_be_hidden()
        assert visitor.errors == []


@pytest.mark.parametrize("panel", ["", "#/level-1"], ids=["map", "panel"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_keeps_anybody_out(
    chromium: Browser, showing: Showing, size: tuple[int, int], scheme: str, panel: str
) -> None:
    with Visitor(chromium, f"{showing.address}{panel}", size, scheme) as visitor:
        eventually(visitor.in_the_list, WAIT_SECONDS, "levels")
        found = Axe().run(visitor.page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_operators_see_what_it_costs(chromium: Browser, showing: Showing, size: tuple[int, int], scheme: str) -> None:
    context = open_context(chromium, size, scheme)
    page = context.new_page()
    page.goto(f"{showing.address}ops")

    def has_figures() -> bool:
        """While somebody plays; what came before the map's first look is not in them."""
        showing.enter("player-3", "level-3")
        page.wait_for_timeout(500)
        return any(map(str.isdigit, page.inner_text("#units")))

    eventually(has_figures, WAIT_SECONDS, "figures")
    expect(page.locator("#by-service")).to_contain_text("consumer")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_the_page_is_small_and_asks_nobody_else(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, showing.address) as visitor:
        visitor.page.wait_for_timeout(2000)
        loaded = visitor.loaded()
        assert all(url.startswith(showing.address) for url in loaded)
        files = {url: size for url, size in loaded.items() if "/api/" not in url}
        assert {"map.js", "draw.js", "layout.js", "map.css"} <= {url.removeprefix(showing.address) for url in files}
        assert sum(files.values()) < MOST_BYTES, files
        assert visitor.errors == []


def test_the_theme_that_is_chosen_stays(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, showing.address) as visitor:
        button = visitor.page.get_by_role("button", name="Theme")
        button.click()
        button.click()
        expect(button).to_have_text("Theme: dark")
        visitor.page.reload()
        expect(button).to_have_text("Theme: dark")
        assert visitor.page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == DARK
        button.click()
        expect(button).to_have_text("Theme: auto")
        assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == LIGHT


def test_nothing_moves_for_who_wants_it_so(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, showing.address) as visitor:
        visitor.page.emulate_media(reduced_motion="reduce")
        visitor.page.reload()
        eventually(visitor.on_the_map, WAIT_SECONDS, "levels")
        visitor.page.wait_for_timeout(500)
        assert visitor.page.evaluate("document.getAnimations().length") == 0


def test_it_says_that_counts_are_old_and_when_they_are_not_any_more(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, showing.address) as visitor:
        eventually(lambda: visitor.banner() == "", WAIT_SECONDS, "no warning")
        stopped_at = time.monotonic()  # while it drains, the counts grow old already
        assert showing.consumer.drain() == 0
        eventually(lambda: "old" in visitor.banner(), LATE_SECONDS, "the warning")
        assert time.monotonic() - stopped_at > EARLY_SECONDS  # silent shards trail by 20 s, by no more
        visitor.page.wait_for_selector("body[data-state=late]")
        expect(visitor.page.locator("#asof")).to_contain_text("ago")

        showing.consumer = showing.site.start("consumer")
        showing.enter("player-1", "level-7")
        eventually(lambda: visitor.banner() == "", LATE_SECONDS, "no warning")
        eventually(lambda: shows(visitor, showing), WAIT_SECONDS, "the counts")
        assert visitor.errors == []


def test_it_comes_back_after_the_map_does(chromium: Browser, showing: Showing) -> None:
    with Visitor(chromium, showing.address) as visitor:
        eventually(lambda: shows(visitor, showing), WAIT_SECONDS, "the counts before")
        before = visitor.in_the_list()
        showing.map.supervisor.kill()
        eventually(lambda: "connection is lost" in visitor.banner(), WAIT_SECONDS, "the warning")
        assert visitor.in_the_list() == before
        showing.enter("player-2", "level-0")
        showing.start_map()
        eventually(lambda: visitor.banner() == "", WAIT_SECONDS, "no warning")
        eventually(lambda: shows(visitor, showing), WAIT_SECONDS, "the counts")
