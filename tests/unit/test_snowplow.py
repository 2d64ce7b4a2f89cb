"""Reading enriched events: every rule by example; the bad inputs first of all."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headcount.model import IgnoredEvent, IgnoredReason, LevelEvent, PoisonError
from headcount.snowplow import EventReader
from tests.integration.waiting import patience

AT = 1_709_210_096_789
LEVEL = "iglu:com.codecombat/level_context/jsonschema/1-0-0"
OTHER = {"schema": "iglu:com.acme/page/jsonschema/1-0-0", "data": {"user_id": "x", "level_slug": "y"}}
READER = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")


def context(data: Any, schema: str = LEVEL) -> dict[str, Any]:
    return {"schema": schema, "data": data}


def ids(player: Any = "ann", level: Any = "l1") -> dict[str, Any]:
    return {"user_id": player, "level_slug": level, "level_name": "Level One"}


def column(*contexts: Any) -> str:
    return json.dumps({"schema": "iglu:com.acme/contexts/jsonschema/1-0-1", "data": contexts})


def line(derived: str = "", contexts: str = "", at: str = "2024-02-29 12:34:56.789", app: str = "game") -> bytes:
    columns = [""] * 131
    columns[0], columns[3], columns[52], columns[122] = app, at, contexts, derived
    return "\t".join(columns).encode()


GOOD = column(context(ids()))
EVENT = LevelEvent("ann", "l1", AT)
NOTHING = IgnoredEvent(AT, IgnoredReason.NO_CONTEXT)
DEEP = "[" * 100_000
BROKEN = {
    "empty": b"",
    "bad_utf8": line(GOOD).replace(b"game", b"\xff"),
    "column_count": line(GOOD) + b"\t",
    "bad_timestamp": line(GOOD, at=""),
    "bad_context": line(GOOD[:-1]),
    "bad_id": line(column(context(ids(7)))),
}


def verdict(data: bytes, reader: EventReader = READER) -> LevelEvent | IgnoredEvent | str:
    try:
        return reader.read(data)
    except PoisonError as error:
        return error.reason


@pytest.mark.parametrize(("reason", "data"), BROKEN.items())
def test_each_poison_reason(reason: str, data: bytes) -> None:
    assert verdict(data) == reason


def test_the_message_quotes_nothing_of_the_record() -> None:
    for data in (line(GOOD, at="SECRET"), line(column(context(ids(["SECRET"])))), line('{"level_context SECRET')):
        with pytest.raises(PoisonError) as caught:
            READER.read(data)
        assert "SECRET" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize("data", [b"\n", b"x", b"\t" * 129, b"\t" * 131, b"x" * 1_000_000, b"\t" * 1_000_000])
def test_wrong_column_counts(data: bytes) -> None:
    assert verdict(data) == "column_count"


def test_the_first_reason_in_order_is_given() -> None:
    """UTF-8, columns, time, app, contexts."""
    reader = EventReader(frozenset({"game"}), "com.codecombat/level_context", "user_id", "level_slug")
    broken = GOOD[:-1]
    assert verdict(b"\xff") == "bad_utf8"
    assert verdict(line(broken, app="web", at="") + b"\t", reader) == "column_count"
    assert verdict(line(broken, app="web", at=""), reader) == "bad_timestamp"
    assert verdict(line(broken, app="web"), reader) == IgnoredEvent(AT, IgnoredReason.OTHER_APP)
    assert verdict(line(broken), reader) == "bad_context"
    assert verdict(line(GOOD), reader) == EVENT


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-02-29 12:34:56", AT - 789),
        ("2024-02-29T12:34:56.789", AT),
        ("2024-02-29 12:34:56.7", AT - 89),
        ("2024-02-29 12:34:56.789999999", AT),
        ("1970-01-01 00:00:00.0009", 0),
        ("9999-12-31 23:59:59.999", 253_402_300_799_999),
    ],
)
def test_timestamps(text: str, at: int) -> None:
    assert verdict(line(GOOD, at=text)) == LevelEvent("ann", "l1", at)


BAD_TIMES = """
2023-02-29 12:34:56|2024-13-01 12:34:56|2024-00-01 12:34:56|2024-02-30 00:00:00|0000-01-01 00:00:00|2024-02-29
2024-02-29 24:00:00|2024-02-29 12:60:00|2024-02-29 12:34:60|2024-02-29 12:34|2024-02-29 12:34:56.|24-02-29 12:34:56
2024-02-29 12:34:56.1234567890|2024-02-29 12:34:56Z|2024-02-29 12:34:56+01:00|2024-02-29  12:34:56|20240229T123456
2024-02-29 12:34:56,5| 2024-02-29 12:34:56|2024-2-29 12:34:56|2024-02-29 12:34:5٦|2024-W09-4 12:34:56|1709210096789
-2024-02-29 12:34:56|2024-02-29 12:34:56.-1|2024-02-29t12:34:56|2024/02/29 12:34:56|null|2024-02-29 12:34:56.7 """


@pytest.mark.parametrize("text", [*BAD_TIMES.strip("\n").replace("\n", "|").split("|"), "2024-02-29 12:34:56\n"])
def test_bad_timestamps(text: str) -> None:
    assert verdict(line(GOOD, at=text)) == "bad_timestamp"


@pytest.mark.parametrize(
    ("derived", "expected"),
    [
        ("", NOTHING),
        (column(), NOTHING),
        (column(OTHER), NOTHING),
        (column(OTHER, context(ids())), EVENT),
        (GOOD.replace("/", "\\/"), EVENT),
        (GOOD.replace("l", "\\u006C").replace("_", "\\u005f"), EVENT),
        (column(context(ids(), LEVEL.replace("level_context", "LevelContext"))), EVENT),
        (column(context(ids(), LEVEL.replace("1-0-0", "1-12-3"))), EVENT),
        (column(context(ids(), LEVEL.replace("jsonschema", "avro"))), EVENT),
        (column(context(ids(), LEVEL.replace("1-0-0", "2-0-0"))), NOTHING),
        (column(context(ids(), LEVEL.replace("codecombat", "acme"))), NOTHING),
        (column(context(ids(None))), IgnoredEvent(AT, IgnoredReason.NULL_PLAYER)),
        (column(context(ids("", None))), IgnoredEvent(AT, IgnoredReason.NULL_PLAYER)),
        (column(context({"user_id": "ann"})), IgnoredEvent(AT, IgnoredReason.NULL_LEVEL)),
        (column(context(ids(level="")), context(ids(None))), IgnoredEvent(AT, IgnoredReason.NULL_LEVEL)),
        (column(context(ids(None)), context(ids()), context(ids("bob"))), EVENT),
        (column(context(ids()), context(ids(7))), EVENT),  # what follows the winner is not looked at
        (column(context(ids(7)), context(ids())), "bad_id"),
        (column(context(ids("a" * 1024))), LevelEvent("a" * 1024, "l1", AT)),
        (column(context(ids("é" * 512))), LevelEvent("é" * 512, "l1", AT)),
        (column(context(ids("é" * 512 + "a"))), "bad_id"),
        (column(context(ids("a", "%/" * 85 + "a"))), LevelEvent("a", "%/" * 85 + "a", AT)),
        (column(context(ids("a", "%/" * 85 + "aa"))), "bad_id"),
        (column(context(ids("\ud800"))), "bad_id"),
        *((column(context(ids(bad))), "bad_id") for bad in (0, 1.5, 10**400, float("nan"), False, [], {1: 2}, ["ann"])),
        *((column(context(ids("ann", bad))), "bad_id") for bad in (0, True, ["l1"], {1: 2}, "\udfff")),
        *((column(context(bad)), "bad_context") for bad in (None, 7, "ann", [1], [ids()], True)),
        (column(context(ids()), context({}, "com.acme/page")), "bad_context"),
        (column(context(ids()), {"schema": LEVEL}), "bad_context"),
        (column(context(ids()), 7), "bad_context"),
        (column(LEVEL), "bad_context"),
        (json.dumps({"data": context(ids())}), "bad_context"),
        (json.dumps({"data": LEVEL}), "bad_context"),
        (json.dumps([context(ids())]), "bad_context"),
        (json.dumps({"schema": LEVEL}), "bad_context"),
        (json.dumps(LEVEL), "bad_context"),
        (f'{{"level_context":{DEEP}', "bad_context"),
        ('{"level\\u005Fcontext', "bad_context"),
        ("{level-context}", "bad_context"),
        ("LEV\\el.CON/text", "bad_context"),
        ("{no JSON of a level, nor a context", NOTHING),
        (DEEP, NOTHING),
        ("{no JSON", NOTHING),
        (GOOD.replace('"level_name"', '"n": NaN, "big": 1e999, "s": "\\ud800", "level_name"'), EVENT),
    ],
)
def test_derived_contexts(derived: str, expected: object) -> None:
    assert verdict(line(derived)) == expected


def test_derived_contexts_decides_where_it_holds_a_level_context() -> None:
    """The SDK lets the later column overwrite the earlier one, whatever that holds."""
    other = column(context(ids("bob")))
    assert verdict(line("", other)) == LevelEvent("bob", "l1", AT)
    assert verdict(line(GOOD, other)) == verdict(line(GOOD, other[:-1])) == EVENT
    assert verdict(line(column(context(ids(None))), other)) == IgnoredEvent(AT, IgnoredReason.NULL_PLAYER)
    assert verdict(line("{no JSON", other)) == LevelEvent("bob", "l1", AT)
    assert verdict(line(other[:-1], GOOD)) == "bad_context"


def test_a_column_that_is_remembered_says_the_same_again() -> None:
    """At another time, and in the other column; and poison stays poison."""
    reader = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")
    null, bad = column(context(ids(None))), column(context(ids(7)))
    for at in (AT, AT - 789, AT - 1):
        text = datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        for data in (line(GOOD, at=text), line("", GOOD, at=text), line(GOOD, null, at=text), line(GOOD, bad, at=text)):
            assert verdict(data, reader) == LevelEvent("ann", "l1", at)
        assert verdict(line(null, GOOD, at=text), reader) == IgnoredEvent(at, IgnoredReason.NULL_PLAYER)
        assert verdict(line(bad, at=text), reader) == verdict(line(bad, GOOD, at=text), reader) == "bad_id"
        assert verdict(line(column(OTHER), at=text), reader) == IgnoredEvent(at, IgnoredReason.NO_CONTEXT)


def test_readers_of_different_settings_remember_apart() -> None:
    other = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_name")
    assert verdict(line(GOOD)) == EVENT
    assert verdict(line(GOOD), other) == LevelEvent("ann", "Level One", AT)


def test_what_is_remembered_is_bounded() -> None:
    reader = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")
    for number in range(10_000):
        assert verdict(line(column(context(ids(str(number))))), reader) == LevelEvent(str(number), "l1", AT)
    assert 0 < len(reader._remembered) <= 4096
    assert verdict(line(column(context({**ids("long"), "x": "x" * 2048}))), reader) == LevelEvent("long", "l1", AT)
    assert max(map(len, reader._remembered)) <= 2048


def test_the_columns_before_the_first_brace_are_counted() -> None:
    """A brace may stand anywhere: in front of contexts, in contexts not first, in no column at all."""
    whole = line("", GOOD).decode().split("\t")
    for number in range(131):
        columns = list(whole)
        if number not in (0, 3, 52, 122):
            columns[number] = "a{b"
        text = "\t".join(columns)
        assert verdict(text.encode()) == EVENT
        for spoiled in (text + "\t", "\t" + text, text.replace("\t", "", 1), text.replace("{", "{\t", 1)):
            assert verdict(spoiled.encode()) == "column_count"
    assert verdict(line("", " " + GOOD)) == verdict(line("", GOOD + " ")) == EVENT
    assert verdict(line("", "level_context")) == "bad_context"


def test_a_record_of_a_megabyte_is_read() -> None:
    assert verdict(line(column(*[OTHER] * 10_000, context(ids())), "x" * 100_000)) == EVENT


@pytest.mark.parametrize("schema", ["", "level_context", "a/b/c", "a b/c", "a/b/jsonschema/1-0-0", "a/b\n", "/", "a/"])
def test_a_bad_context_schema_is_refused(schema: str) -> None:
    with pytest.raises(ValueError, match="no vendor/name"):
        EventReader(frozenset(), schema, "user_id", "level_slug")


@pytest.mark.parametrize("name", ["levelContext", "Level-Ctx", "_level__x1", "___", "L"])
def test_other_names_of_context_and_fields(name: str) -> None:
    data = column(context({"p": "ann", "l": "l1"}, f"iglu:org.acme-1/{name}/jsonschema/1-0-0"))
    reader = EventReader(frozenset(), f"org.acme-1/{name}", "p", "l")
    assert verdict(line(data), reader) == verdict(line("", data), reader) == EVENT


def test_importing_the_sdk_warns_of_nothing(tmp_path: Path) -> None:
    """Compiled anew, its invalid escape sequences would be a warning, and here an error."""
    command = [sys.executable, "-W", "error", "-X", f"pycache_prefix={tmp_path}", "-c", "import headcount.snowplow"]
    subprocess.run(command, check=True, timeout=patience(60), cwd=Path(__file__).parents[2])
