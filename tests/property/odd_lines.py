"""Real lines with all sorts of contexts put in, sound ones and odd ones."""

import json
import string
import time
from pathlib import Path
from random import Random
from typing import Any

from tests.property.sdk_oracle import COLLECTOR_TSTAMP, CONTEXTS, DERIVED

TXN_ID, UNSTRUCT, BR_COOKIES = 7, 58, 96
LINES = (Path(__file__).parents[1] / "data/snowplow_enriched_events.tsv").read_text("utf-8").split("\n")[:40]

IDS = ["ann", "bob", "dungeons-of-kithgard", "é/%", "l\u2028x", "x" * 511, "%" * 171, "5f0c" * 6, 'a\\b"c', "y" * 1025]
ODD_IDS: list[Any] = [None, None, "", "", 7, 0, False, [], {}, ["ann"], 1.5, float("nan"), 10**30, "\ud800"]
URIS = [f"iglu:com.codecombat/{tail}" for tail in ("level_context/jsonschema/1-0-0", "levelContext/jsonschema/1-2-10")]
ODD_URIS = [
    *(f"iglu:com.codecombat/{name}/jsonschema/1-0-0" for name in ("LevelContext", "LEVEL_CONTEXT", "level-context")),
    *(f"iglu:com.codecombat/level_context/{tail}" for tail in ("avro/1-0-5", "jsonschema/2-0-0", "jsonschema/1-0-0\n")),
    *(f"iglu:{start}/jsonschema/1-0-0" for start in ("com_codecombat/level_context", "com.codecombat.level/context")),
    *(f"iglu:com.acme/{name}/jsonschema/1-0-0" for name in ("page", "level_context", "context_of_level")),
]
BAD_URIS = ["iglu:com.acme/page/jsonschema/0-0-0", "", "level_context", 7, None, [], "iglu:a/level_context/x"]
BAD_TIMES = ["", "2024-02-30 00:00:00", "2023-02-29T00:00:00.1", "2024-01-01 24:00:00", "2024-01-01 00:00:60", "now"]
ESCAPABLE = ("level_context", "codecombat", "user_id", "level_slug", "iglu", "schema", "ann")


def context(random: Random) -> Any:
    """A context, mostly a sound one of the level, with a chance for each way to be odd."""
    data: Any = {"level_name": random.choice(IDS)}
    for name in ("user_id", "level_slug"):
        if random.random() < 0.9:
            data[name] = random.choice(ODD_IDS if random.random() < 0.2 else IDS)
    if random.random() < 0.04:
        data = random.choice([None, 7, "x", [], True, [data]])
    uris: list[list[Any]] = [URIS, ODD_URIS, BAD_URIS]
    whole = {"schema": random.choice(random.choices(uris, [60, 37, 3])[0]), "data": data}
    if random.random() < 0.02:
        whole.pop(random.choice(list(whole)))
    return whole if random.random() < 0.98 else random.choice([None, 7, "level_context", [], [whole]])


def contexts_column(random: Random, original: str) -> str:
    """The text of a contexts column: the real one, none, or with contexts put in, in one of JSON's many spellings."""
    if (roll := random.random()) < 0.25:
        return original if roll < 0.15 else ""
    contexts: Any = json.loads(original)["data"] if original and random.random() < 0.5 else []
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        contexts.insert(random.randint(0, len(contexts)), context(random))
    if random.random() < 0.03:
        contexts = random.choice([None, {}, "", "level_context", 7, {"level_context": contexts}])
    separators = random.choice([(",", ":"), (", ", ": "), (" ,\r\n", " :  ")])
    whole = {"schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1", "data": contexts}
    text = json.dumps(whole, separators=separators, sort_keys=random.random() < 0.5)
    if random.random() < 0.4 and "\\ud800" not in text:
        text = json.dumps(whole, separators=separators, ensure_ascii=False)
    if random.random() < 0.2:
        text = text.replace("/", "\\/")
    for word in ESCAPABLE if random.random() < 0.3 else ():
        at = random.randrange(len(word))
        code = random.choice([f"\\u{ord(word[at]):04x}", f"\\u{ord(word[at]):04X}"])
        text = text.replace(word, word[:at] + code + word[at + 1 :], random.choice([1, 9]))
    if random.random() < 0.1:
        name = random.choice(["user_id", "level_slug", "schema", "data"])
        value = random.choice(['"again"', "null", "7", "NaN", "1e999", "[" * 2000 + "]" * 2000, '"\\ud800"', "{}"])
        text = text.replace(f'"{name}"', random.choice([f'"{name}":{value},"{name}"', f'"x":{value},"{name}"']), 1)
    if random.random() < 0.1:
        cut = random.randrange(len(text))
        text = random.choice([text[:cut], text[cut:], text[:cut] + random.choice('{}[]",:x1 ') + text[cut:]])
    return text


def variant(random: Random, line: str) -> str:
    """A real line with contexts put in, at another time, and now and then with a broken column that nobody reads."""
    columns = line.split("\t")
    columns[CONTEXTS] = contexts_column(random, columns[CONTEXTS])
    columns[DERIVED] = contexts_column(random, columns[DERIVED])
    if random.random() < 0.5:
        moment = time.strftime(f"%Y-%m-%d{random.choice(' T')}%H:%M:%S", time.gmtime(random.randrange(2**32)))
        fraction = "".join(random.choices(string.digits, k=random.randint(0, 9)))
        columns[COLLECTOR_TSTAMP] = f"{moment}.{fraction}" if fraction else moment
    if random.random() < 0.04:
        columns[COLLECTOR_TSTAMP] = random.choice(BAD_TIMES)
    if random.random() < 0.1:
        columns[random.choice([UNSTRUCT, TXN_ID, BR_COOKIES])] = random.choice(["x", "{", '{"level_context'])
    return "\t".join(columns)
