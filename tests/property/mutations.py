"""Real records broken on purpose: their bytes, their columns, the JSON in them, several ways at once."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.property.odd_lines import LINES, URIS, variant
from tests.property.sdk_oracle import COLLECTOR_TSTAMP, CONTEXTS, DERIVED

MOST_BYTES = 10_485_760  # of a record of Kinesis, where large ones are enabled
_HOLE = "@hole@"  # stands for raw text in a JSON value, until that is written

# Text that json.dumps would not write.
RAW_JSON = (
    *(
        "9" * 400,
        "9" * 5000,
        "-" + "9" * 30,
        "1e999",
        "NaN",
        "-Infinity",
        "1.0",
        "7.5",
        "0",
        "-0",
        "true",
        "null",
        "{}",
    ),
    *('"\\ud800"', '"\\udfff x"', '"\\ud83c\\udfae"', '"\\u0000"', '"a\\u0000b"', '"\\u00e9"', '""', '" "', '"\\/%"'),
    *("[]", "[" * 400 + "]" * 400, "[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000, "[" * 10_000),
    *('"\\x"', '"unfinished', "nul", "'ann'", "01", "+1", "\x00", "\ufeff", "[1,]", '{"a":1,}', '{"a":1 "b":2}'),
)
ODD_TEXT = (
    *(
        "\x00",
        "\x1b]0;owned\x07",
        "\ufeff",
        "\u202e",
        "\u2028",
        "e\u0301",
        "🎮",
        "👩\u200d👩\u200d👧",
        "ﷺ",
        "\U0010ffff",
        "İ",
    ),
    *(
        "{",
        '"',
        "\\",
        "\\u",
        "level_context",
        "LEVELCONTEXT",
        "null",
        "NaN",
        "\r\n",
        "\x85",
        "\uffff",
        "ß" * 511,
        "ß" * 513,
    ),
)
ODD_BYTES = (
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xc0\x80",
    b"\t",
    b"\n",
    b"\r",
    b"\\",
    b'"',
)
NAMES = ("user_id", "level_slug", "schema", "data", "x")
BASE = {"user_id": "ann", "level_slug": "forest"}


def mutated(random: Random) -> bytes:
    """A real line, or one with contexts put in, and up to four things done to it."""
    line = random.choice(LINES)
    if random.random() < 0.7:
        line = variant(random, line)
    columns = line.split("\t")
    if random.random() < 0.5:
        columns[random.choice((CONTEXTS, DERIVED))] = _json(random)
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 3))):
        random.choice(_OF_COLUMNS)(random, columns)
    data = "\t".join(columns).encode(errors="surrogatepass")
    for _ in range(random.choice((0, 0, 0, 0, 0, 1, 2))):
        data = random.choice(_OF_BYTES)(random, data)
    return data[:MOST_BYTES]


# --- JSON -------------------------------------------------------------------------------------------------------------


def _json(random: Random) -> str:
    """A column with a sound level context, and things done to its values and to its text."""
    ids: dict[str, Any] = {**BASE, "user_id": random.choice("abcdef"), "level_slug": random.choice("XYZ")}
    context: Any = {"schema": random.choice(URIS), "data": ids}
    whole: Any = {"schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1", "data": [context]}
    raw: list[str] = []
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        _change(random, random.choice((ids, ids, ids, context, whole)), raw)
    text = json.dumps(whole, ensure_ascii=random.random() < 0.7)
    for piece in raw:
        text = text.replace(f'"{_HOLE}"', piece, 1)
    if random.random() < 0.1:
        text = _in_text(random, text)
    return text.replace("\t", " ")


def _change(random: Random, node: dict[str, Any], raw: list[str]) -> None:
    name = random.choice(NAMES)
    match random.randrange(6):
        case 0:
            node.pop(name, None)
        case 1:
            node[name] = random.choice((None, True, 7, 1.5, 10**30, "", [], {}, [node.get(name)], {"user_id": "ann"}))
        case 2:
            node[name] = random.choice(ODD_TEXT)
        case 3:
            node[name] = node.get("user_id", "x") if random.random() < 0.9 else "h" * random.randrange(2_000_000)
        case _:
            node[name] = _HOLE
            raw.append(random.choice(RAW_JSON))


def _in_text(random: Random, text: str) -> str:
    """A key twice, or a cut."""
    name = random.choice(NAMES)
    if random.random() < 0.7:
        return text.replace(f'"{name}":', f'"{name}": {random.choice(RAW_JSON)}, "{name}":', 1)
    at = random.randrange(len(text))
    return text[:at] + random.choice(("", "}", '"', "\x00", ",")) + text[at + random.randrange(9) :]


# --- Columns ----------------------------------------------------------------------------------------------------------


def _odd_text(random: Random, columns: list[str]) -> None:
    at = random.randrange(len(columns))
    place = random.randint(0, len(columns[at]))
    columns[at] = columns[at][:place] + random.choice(ODD_TEXT) + columns[at][place:]


def _emptied(random: Random, columns: list[str]) -> None:
    columns[random.choice((COLLECTOR_TSTAMP, CONTEXTS, DERIVED, random.randrange(131))) % len(columns)] = ""


def _swapped(random: Random, columns: list[str]) -> None:
    one, other = (random.choice((random.randrange(131), CONTEXTS, DERIVED)) % len(columns) for _ in range(2))
    columns[one], columns[other] = columns[other], columns[one]


def _huge(random: Random, columns: list[str]) -> None:
    if random.random() < 0.1:
        columns[random.randrange(len(columns))] = random.choice("x{[é") * random.randrange(3_000_000)


def _dropped(random: Random, columns: list[str]) -> None:
    if random.random() < 0.3 and len(columns) > 1:
        del columns[random.randrange(len(columns))]


def _added(random: Random, columns: list[str]) -> None:
    if random.random() < 0.3:
        columns.insert(random.randint(0, len(columns)), random.choice(("", "x", columns[CONTEXTS % len(columns)])))


_OF_COLUMNS: tuple[Callable[[Random, list[str]], None], ...] = (
    *(_odd_text, _odd_text, _emptied, _swapped),
    *(_huge, _dropped, _added),
)

# --- Bytes ------------------------------------------------------------------------------------------------------------


def _flipped(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 20)) if changed else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _inserted(random: Random, data: bytes) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(ODD_BYTES) + data[at:]


def _cut(random: Random, data: bytes) -> bytes:
    at = random.randint(0, len(data))
    return random.choice((data[:at], data[at:], data[:at] + data[at + random.randrange(50) :]))


def _noise(random: Random, _: bytes) -> bytes:
    return random.randbytes(random.choice((0, 1, 300)))


_OF_BYTES: tuple[Callable[[Random, bytes], bytes], ...] = (_flipped, _flipped, _inserted, _inserted, _cut, _noise)
