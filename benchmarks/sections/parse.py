"""Parsing: events a second of Headcount's reader and of the SDK's transform, on the same lines."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from benchmarks import load
from benchmarks.results import Chart, Findings, Sense, in_turn, ratios
from benchmarks.tutorial import transformed
from headcount.demo.tsv import APP_ID
from headcount.snowplow import EventReader
from tests.property.sdk_oracle import expected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.places import Size

Line = TypeVar("Line", bytes, str)

SESSION = b"s" * 24  # the load's, part of a level context
EVENTS = 20_000
METHOD = """In one process, on lines of the standard load (1.9 kB, 60 % with a level context): `EventReader.read`, which
judges a record whole, against snowplow-analytics-sdk's `transform` alone, without the choice of a context. Each line's
result equals what the rules make of the SDK's output; else the section fails. Events per second of processor time.
The reader remembers what short columns said. The standard load repeats a player's level context through a level, so
the last lines say how it is where no level context comes twice."""


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("Parse", METHOD)
    events = size.of(EVENTS)
    moments = load.moments(load.STANDARD, 1.1 * events / load.STANDARD.events_per_second)[:events]
    lines = [load.line(moment, number) for number, moment in enumerate(moments)]
    texts = [line.decode() for line in lines]
    reader = EventReader(frozenset({APP_ID}), "com.codecombat/level_context", "user_id", "level_slug")
    for line, text in zip(lines, texts, strict=True):
        if reader.read(line) != expected(text)[1]:
            raise AssertionError("a line is read otherwise than by the SDK and the rules")

    fast, slow = in_turn(size.runs, lambda: rate(reader.read, lines), lambda: rate(transformed, texts))
    found.figure("bytes per event", "B", sum(map(len, lines)) / len(lines))
    ours_median = found.figure("Headcount", "events/s", fast)
    theirs_median = found.figure("SDK's transform", "events/s", slow)
    ratio = found.figure("ratio, pair by pair", "x", ratios(fast, slow))
    found.target("parse, times the SDK's transform, equal results", Sense.LEAST, 10, ratio, "x", ratio)
    found.charts.append(
        Chart("parse", "Parse: events a second", ("Headcount", "SDK"), {"events/s": (ours_median, theirs_median)})
    )
    unlike = [line.replace(SESSION, b"%024d" % number) for number, line in enumerate(lines)]
    for name, some in (
        ("events with a level context", [line for line in lines if SESSION in line]),
        ("events without", [line for line in lines if SESSION not in line]),
        ("no level context twice", unlike),
    ):
        texts = [line.decode() for line in some]
        fast, slow = in_turn(size.runs, partial(rate, reader.read, some), partial(rate, transformed, texts))
        found.figure(f"Headcount, {name}", "events/s", fast)
        found.figure(f"ratio, {name}", "x", ratios(fast, slow))
    return found


def rate(read: Callable[[Line], object], lines: Sequence[Line]) -> float:
    """Lines read per second of processor time."""
    begun = time.process_time()
    for line in lines:
        read(line)
    return len(lines) / (time.process_time() - begun)
