"""The demo's screen at several sizes, with nothing and with too much to show."""

import io
import xml.etree.ElementTree as ET

import pytest
from rich.cells import cell_len
from rich.console import Console

from headcount.demo.screen import Screen, Service, Snapshot, recorded, render_svg, status_line

FULL = Snapshot(
    elapsed=42,
    total=90,
    phase="playing " * 30,
    map="http://127.0.0.1:54321/",
    levels={f"a-level-with-a-name-that-is-quite-long-{i}": 10**6 // (i + 1) for i in range(60)} | {"[odd]": -3},
    moves=[("12:34", "x" * 90, "y" * 90, 10**7), ("12:34", None, "dread-door", 2), ("12:33", "dread-door", None, 1)]
    * 9,
    sent=123_456_789,
    per_second=1234.5,
    players=999_999,
    writes_per_event=0.1134,
    lag_seconds=1.26,
    services={
        "consumer": Service("ready", 1234567),
        "level_aggregator": Service("restarting", None, "killed by the demo " * 5),
        "pruner": Service("down", 12, "exit 1"),
        "ministack": Service("up", 3),
        "dynamodb-local": Service("starting"),
    },
    kills=12,
    cutoff_age_seconds=75,
    held_back="shard 3 has no watermark " * 9,
)
STARTING = Snapshot(
    elapsed=4,
    total=90,
    phase="starting",
    steps=[("MiniStack", True, 3.2), ("consumer takes its shards", False, 12.3)],
    services={"consumer": Service("starting", 7)},
)


@pytest.mark.parametrize("snapshot", [Snapshot(), STARTING, FULL])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 28), (200, 50), (60, 16)])
def test_nothing_overflows(snapshot: Snapshot, width: int, height: int) -> None:
    lines = recorded(snapshot, width, height).export_text().rstrip("\n").split("\n")
    assert len(lines) == height
    assert max(map(cell_len, lines)) <= width


def test_what_matters_is_on_80_by_24() -> None:
    picture = recorded(FULL).export_text()
    for word in ("a-level-with", "level_aggregator", "restarting", "0.113", "1.3 s", "999999", "75 s ago", "(1234/s)"):
        assert word in picture
    assert "map http://127.0.0.1:54321/" in picture
    assert "(entered) → dread-door" in picture
    assert "dread-door → (left)" in picture


def test_until_the_first_count_the_steps_are_shown() -> None:
    picture = recorded(STARTING).export_text()
    assert "✓ MiniStack" in picture
    assert "… consumer takes its shards 12.3 s" in picture


def test_the_svg_is_one() -> None:
    root = ET.fromstring(render_svg(FULL))  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert render_svg(FULL) == render_svg(FULL)


def test_the_status_line_is_one_line() -> None:
    assert status_line(STARTING) == "00:04/01:30 starting | consumer takes its shards 12 s | consumer starting"
    assert "players 999999" in status_line(FULL)
    assert "pruner down" in status_line(FULL)
    assert "\n" not in status_line(FULL)
    assert status_line(Snapshot(phase="draining")) == "00:00/00:00 draining"


def test_without_a_terminal_lines_come_now_and_then_and_at_each_phase() -> None:
    out = io.StringIO()
    with Screen(Console(file=out, width=80), every_seconds=3600) as screen:
        for phase in ("starting", "starting", "playing", "playing"):
            screen.show(Snapshot(phase=phase, levels={"[bold]odd": 1}))
    lines = out.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["starting", "playing"]
    assert "[bold]odd 1" in lines[0]
    assert "\x1b" not in out.getvalue()


def test_without_a_terminal_the_maps_address_has_a_line_of_its_own() -> None:
    out = io.StringIO()
    with Screen(Console(file=out, width=80), every_seconds=3600) as screen:
        for address in ("", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/"):
            screen.show(Snapshot(phase="starting", map=address))
    assert out.getvalue().splitlines()[1:] == ["The map is at http://127.0.0.1:8080/"]


def test_a_terminal_keeps_the_last_picture() -> None:
    out = io.StringIO()
    with Screen(Console(file=out, width=80, height=24, force_terminal=True)) as screen:
        screen.show(FULL)
    assert "Fullest levels" in out.getvalue().rsplit("\x1b[?1049l", 1)[1]
