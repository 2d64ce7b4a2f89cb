"""Whatever the bytes, the reader answers or raises `PoisonError`; and what it skips couldn't have mattered."""

import json
import re
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.model import IgnoredEvent, IgnoredReason, LevelEvent, PoisonError
from headcount.snowplow import EventReader

REASONS = {word: word for word in ("empty", "bad_utf8", "column_count", "bad_timestamp", "bad_context", "bad_id")}
READER = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")
THOROUGH = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")
object.__setattr__(THOROUGH, "_mention", b"")  # in every text: it parses every column
STEADY = settings(derandomize=True, deadline=None, database=None, max_examples=1000)

NOTHING = IgnoredEvent(1_709_210_096_789, IgnoredReason.NO_CONTEXT)
LEVEL = "iglu:com.codecombat/level_context/jsonschema/1-0-0"
PIECES = [
    *(LEVEL, LEVEL.upper(), "level", "context", "LevelContext", "codecombat", "user_id", "level_slug", "\\u006c", "é"),
    *('{"schema":"', '","data":', '"data":[', "{", "}", "[", "]", '"', ",", ":", "\\", "/", "\\/", "\\u", "\\ud800"),
    *("null", "true", "7", "-", "NaN", "1e999", "9" * 5000, "[" * 1200, '{"a":' * 5000, " ", "\r", "\0", "_", "\ufeff"),
]
PLAIN = st.sampled_from(["ann", "", "com.acme", "level_context", "data", LEVEL, LEVEL.replace("l_c", "lC")])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(PLAIN, inner, max_size=4)
        | st.fixed_dictionaries({"schema": PLAIN, "data": inner})
        | st.fixed_dictionaries({"schema": st.just(LEVEL), "data": inner})
        | st.fixed_dictionaries({"user_id": inner, "level_slug": inner})
    ),
    max_leaves=12,
)
BROKEN_JSON = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
COLUMNS = (
    VALUES.map(json.dumps)
    | VALUES.map(lambda value: json.dumps({"data": value}))
    | st.lists(VALUES, max_size=4).map(lambda value: json.dumps({"data": value}, ensure_ascii=False))
    | BROKEN_JSON
)


def line(column: str) -> bytes:
    columns = [""] * 131
    columns[3], columns[122] = "2024-02-29 12:34:56.789", column
    return "\t".join(columns).encode(errors="replace")


def verdict(data: bytes, reader: EventReader = READER) -> LevelEvent | IgnoredEvent | str:
    try:
        return reader.read(data)
    except PoisonError as error:
        return REASONS[error.reason]


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=4), min_size=131, max_size=131).map(b"\t".join))
@settings(STEADY, max_examples=300)  # long lists take their time
def test_any_bytes(data: bytes) -> None:
    verdict(data)


@given(st.binary(max_size=30), st.integers(0, 10_000), st.integers(0, 30))
@STEADY
def test_a_good_record_with_bytes_damaged(noise: bytes, at: int, cut: int) -> None:
    good = line(json.dumps({"data": [{"schema": LEVEL, "data": {"user_id": "ann", "level_slug": "l1"}}]}))
    at %= len(good)
    verdict(good[:at] + noise + good[at + cut :])


@given(COLUMNS)
@example('{"data":[{"schema":"x","data":' + "[" * 1010 + "]" * 1010 + "}]}")
@example('{"level_context":' + "[" * 100_000)
@STEADY
def test_skipping_a_column_changes_no_result(column: str) -> None:
    """Parsing every column gives the same, except that it refuses columns that have nothing to say."""
    lazily, thoroughly = verdict(line(column)), verdict(line(column), THOROUGH)
    assert lazily == thoroughly or (lazily, thoroughly) == (NOTHING, "bad_context")


@given(st.lists(VALUES, max_size=3), st.integers())
@example([{"schema": LEVEL, "data": {"user_id": "ann", "level_slug": "l1"}}], 7)
@STEADY
def test_a_string_may_be_spelled_with_any_escapes(contexts: list[object], seed: int) -> None:
    r"""JSON may write any character of a string as \uXXXX, and a slash with a backslash."""
    random = Random(seed)

    def spell(match: re.Match[str]) -> str:
        character = match[0]
        if character.startswith(("\\", '"')):
            return character
        spellings = [character, f"\\u{ord(character):04x}", f"\\u{ord(character):04X}"]
        return random.choice([*spellings, "\\/"] if character == "/" else spellings)

    text = json.dumps({"data": contexts})
    # Letters outside of strings are those of literals; only what stands in quotes may be spelled anew.
    spelled = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: re.sub(r"\\u....|\\.|.", spell, quoted[0]), text)
    assert json.loads(spelled, parse_constant=str) == json.loads(text, parse_constant=str)
    assert verdict(line(spelled)) == verdict(line(text))
