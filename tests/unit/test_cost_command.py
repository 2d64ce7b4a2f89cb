"""``python -m headcount cost``: what it prints, and that docs/cost.md holds just that."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headcount.__main__ import app
from headcount.cost.load import Load, Pace
from headcount.cost.parts import Choices
from headcount.cost.prices import load_prices
from headcount.cost.report import COLUMNS, Comparison, table
from headcount.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"
BLOCK = re.compile(r"^<!-- cost: ([^\n]+) -->\n(.*?)^<!-- /cost -->$", re.MULTILINE | re.DOTALL)
GAME = ["--events-per-second", "1000", "--players", "2000"]


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["cost", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("arguments", [found[1] for found in BLOCK.finditer(PAGE.read_text("utf-8"))])
def test_the_page_holds_what_the_command_prints(arguments: str) -> None:
    block = next(found[2] for found in BLOCK.finditer(PAGE.read_text("utf-8")) if found[1] == arguments)

    assert block == printed(*shlex.split(arguments)), "put what the command prints between the two comments"


def test_the_page_shows_three_sizes() -> None:
    rates = {re.search(r"--events-per-second (\d+)", found[1])[1] for found in BLOCK.finditer(PAGE.read_text("utf-8"))}  # type: ignore[index] # each has one

    assert rates >= {"10", "1000", "10000"}


def test_the_sums_are_those_of_the_lines() -> None:
    told = json.loads(printed(*GAME, "--json"))

    for design in ("headcount", "tutorial"):
        lines = told[design]["lines"]
        assert sum(line["usd_a_month"] for line in lines) == pytest.approx(told[design]["usd_a_month"])
        written = sum(line["amount"] for line in lines if line["unit"] == "write request units")
        assert told[design]["write_units_per_event"] == pytest.approx(written / (1000 * 730 * 3600))
    assert told["load"]["shards"] == 3
    assert told["prices"] == {"region": "us-east-1", "date": load_prices().date}


def test_brief_leaves_the_lines_out() -> None:
    whole, brief = printed(*GAME), printed(*GAME, "--brief")

    assert "live audits" in whole
    assert "live audits" not in brief
    assert [line.count("|") for line in brief.splitlines() if "|" in line] == [len(COLUMNS) + 1] * 10


def test_what_is_chosen_is_paid_for() -> None:
    assert "enhanced fan-out" in printed(*GAME, "--fan-out")
    assert "LevelHistory" in printed(*GAME, "--map")
    assert "LevelHistory" not in printed(*GAME)
    arm, x86 = (json.loads(printed(*GAME, "--json", *more)) for more in ([], ["--x86"]))

    assert x86["headcount"]["usd_a_month"] > arm["headcount"]["usd_a_month"]


def test_the_refresh_is_the_settings_or_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = printed(*GAME, "--refresh", "120", "--json")
    assert asked != printed(*GAME, "--json")

    monkeypatch.setenv("HEADCOUNT_REFRESH_SECONDS", "120")
    assert printed(*GAME, "--json") == asked


def test_a_game_that_cannot_be_is_refused_in_words() -> None:
    done = CliRunner().invoke(app, ["cost", *GAME, "--session-minutes", "1"])

    assert done.exit_code == 2
    assert "Give longer sessions" in done.output


@pytest.mark.parametrize(
    "option",
    [
        "events-per-second",
        "players",
        "levels",
        "shards",
        "refresh",
        "events-per-minute-and-player",
        "events-per-level",
        "event-kilobytes",
        "stream-shards",
    ],
)
@pytest.mark.parametrize("figure", ["1" * 40, "1e300", "inf", "nan"])
def test_a_figure_beyond_all_games_is_refused_with_its_option(option: str, figure: str) -> None:
    done = CliRunner().invoke(app, ["cost", *GAME, "--session-minutes", "inf", f"--{option}", figure])

    assert done.exit_code == 2, done.exception
    assert f"'--{option}'" in done.output


def test_the_largest_figures_are_reckoned() -> None:
    most = ["--events-per-second", "1e9", "--players", "1000000000000", "--shards", "1000000", "--levels", "1000000"]
    more = ["--event-kilobytes", "10240", "--stream-shards", "1000000", "--refresh", "86400"]

    told = json.loads(printed(*most, *more, "--session-minutes", "inf", "--events-per-level", "1e9", "--json"))

    assert told["headcount"]["usd_a_month"] > 0


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (["--shards", "2", "--events-per-second", "2000", "--event-kilobytes", "1"], ""),
        (["--shards", "2", "--events-per-second", "2001", "--event-kilobytes", "0.5"], "give 3 shards"),
        (["--shards", "2", "--events-per-second", "1000", "--event-kilobytes", "3"], "give 4 shards"),
        (["--players", "50000000", "--session-minutes", "inf"], ""),
        (["--players", "50000001", "--session-minutes", "inf"], "these figures are too low"),
    ],
)
def test_what_the_figures_do_not_hold_for_is_noted(given: list[str], note: str) -> None:
    notes = json.loads(printed(*GAME, *given, "--json"))["notes"]

    assert [note in told for told in notes] == [True] * bool(note)
    assert ("Note: " in printed(*GAME, *given)) == bool(note)


def test_a_terminal_gets_a_table() -> None:
    load = Load(1000, 2000)
    found = Comparison(load, Pace.of(Settings()), Choices(), load_prices())
    made = table(found)

    assert [column.header for column in made.columns] == list(COLUMNS)
    assert made.row_count == len(list(found.rows()))
