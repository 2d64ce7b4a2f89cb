"""The page's pure rules, run where they run: in a browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.showing import Showing, open_context

LEVELS = [5, 30, 200]


@pytest.fixture(scope="module")
def page(chromium: Browser, game: Showing) -> Iterator[Page]:
    """With the modules to be had."""
    game.wait_until_ready()
    context = open_context(chromium)
    page = context.new_page()
    page.goto(game.address)
    yield page
    context.close()


def run(page: Page, code: str, argument: Any = None) -> Any:
    """What ``code`` returns, with the modules ``layout``, ``words`` and ``curve``."""
    names = "layout, words, curve"
    imports = f"const [{names}] = await Promise.all('{names}'.split(', ').map((name) => import(`/${{name}}.js`)));"
    return page.evaluate(f"async (given) => {{ {imports} {code} }}", argument)


ARRANGED = """
const ids = Array.from({length: given}, (_, n) => `level-${n}`);
const moves = ids.slice(1).map((id, n) => ({from: ids[n], to: id, count: 1 + n % 7}));
const plane = layout.arrange(ids, moves, new Map());
const radius = layout.radii(new Map(ids.map((id, n) => [id, 1 + Math.floor(200 / (n + 1))])), 1200, 800);
const placed = layout.fit(plane, radius, 1200, 800);
"""


@pytest.mark.parametrize("levels", LEVELS)
def test_the_same_levels_lie_at_the_same_places(page: Page, levels: int) -> None:
    code = ARRANGED + "return [...placed].map(([id, {x, y}]) => [id, x, y]).sort();"

    assert run(page, code, levels) == run(page, code, levels)


@pytest.mark.parametrize("levels", LEVELS)
def test_levels_lie_on_the_stage_and_not_over_each_other(page: Page, levels: int) -> None:
    found = run(page, ARRANGED + "return [...placed.values()];", levels)

    assert all(p["r"] <= p["x"] <= 1200 - p["r"] and p["r"] <= p["y"] <= 800 - p["r"] for p in found)
    for n, a in enumerate(found):
        for b in found[:n]:
            assert ((a["x"] - b["x"]) ** 2 + (a["y"] - b["y"]) ** 2) ** 0.5 > 1.16 * (a["r"] + b["r"])


def test_neighbours_on_the_way_are_neighbours_on_the_map(page: Page) -> None:
    code = ARRANGED + (
        "const far = (a, b) => Math.hypot(placed.get(a).x - placed.get(b).x, placed.get(a).y - placed.get(b).y);"
        "const mean = (all) => all.reduce((sum, one) => sum + one, 0) / all.length;"
        "return [mean(moves.map(({from, to}) => far(from, to))),"
        " mean(ids.flatMap((a) => ids.filter((b) => b !== a).map((b) => far(a, b))))];"
    )

    near, all_of_them = run(page, code, 30)
    assert near < 0.5 * all_of_them


def test_a_new_level_hardly_moves_the_others(page: Page) -> None:
    code = ARRANGED + (
        "const more = layout.arrange([...ids, 'new'], [...moves, {from: 'level-3', to: 'new', count: 5}], plane);"
        "return ids.map((id) => Math.hypot(more.get(id).x - plane.get(id).x, more.get(id).y - plane.get(id).y));"
    )

    assert max(run(page, code, 30)) == 0


def test_an_island_that_grows_moves_no_more_of_the_map_than_it_must(page: Page) -> None:
    code = ARRANGED + (
        "radius.set('level-9', 1.3 * radius.get('level-9'));"
        "const later = layout.fit(plane, radius, 1200, 800, {before: placed});"
        "return ids.map((id) => Math.hypot(later.get(id).x - placed.get(id).x, later.get(id).y - placed.get(id).y));"
    )

    moved = run(page, code, 30)
    assert sorted(moved)[len(moved) // 2] < 1
    assert max(moved) < 40


def test_a_place_of_ones_own_is_kept(page: Page) -> None:
    code = ARRANGED + (
        "const fixed = {'level-0': {x: 0.5, y: 0}};return layout.fit(plane, radius, 1200, 800, {fixed}).get('level-0');"
    )

    own = run(page, code, 30)
    assert own["x"] == pytest.approx(600)
    assert own["y"] < 160


def test_areas_go_by_counts(page: Page) -> None:
    code = "return [...layout.radii(new Map([['a', 10], ['b', 40], ['c', 90], ['d', 900]]), 2000, 2000).values()];"

    a, b, c, _ = run(page, code)
    assert (b / a, c / a) == (pytest.approx(2), pytest.approx(3))


@pytest.mark.parametrize("levels", LEVELS)
def test_no_name_is_over_another(page: Page, levels: int) -> None:
    code = ARRANGED + (
        "const boxes = ids.map((id) => ({id, ...placed.get(id), width: 80, height: 16}));"
        "const shown = layout.label(boxes, 1200, 800);"
        "const drawn = boxes.filter(({id}) => shown.has(id));"
        "return drawn.map(({id, x, y}) => [x + shown.get(id).dx, y + shown.get(id).dy]);"
    )

    found = run(page, code, levels)
    assert len(found) >= min(levels, 20)
    for n, (x, y) in enumerate(found):
        assert all(abs(x - other_x) >= 79.9 or abs(y - other_y) >= 15.9 for other_x, other_y in found[:n])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("words.players(null)", "few"),
        ("words.players(12345)", "12,345"),
        ("words.noun(1)", "player"),
        ("words.noun(0)", "players"),
        ("words.age(89)", "89 s"),
        ("words.age(600)", "10 min"),
        ("words.age(7200)", "2 h"),
        ("curve.path([], 100, 24)", ""),
        ("curve.path([null, null], 100, 24)", ""),
        ("curve.path([0, 2, null, 1], 99, 24)", "M0.0 23.0L33.0 1.0M99.0 12.0h0.1"),
        ("layout.dice('a') === layout.dice('a') && layout.dice('a') !== layout.dice('b')", True),
    ],
)
def test_words_and_curves(page: Page, code: str, expected: object) -> None:
    assert run(page, f"return {code};") == expected
