"""What a line says by snowplow-analytics-sdk and the rules in words: knows nothing of the reader."""

import calendar
import string
import time
import warnings
from decimal import Decimal
from typing import Any

from headcount.model import IgnoredEvent, IgnoredReason, LevelEvent

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*invalid escape sequence")  # the SDK's own, if compiled anew
    from snowplow_analytics_sdk.event_transformer import transform
    from snowplow_analytics_sdk.snowplow_event_transformation_exception import SnowplowEventTransformationException

KEY = "contexts_com_codecombat_level_context_1"
COLLECTOR_TSTAMP, CONTEXTS, DERIVED = 3, 52, 122
Verdict = LevelEvent | IgnoredEvent | str


def expected(line: str) -> tuple[bool, Verdict]:
    """Whether the SDK accepts a line of 131 columns, and what the rules make of it."""
    columns = line.split("\t")
    try:
        output = transform(line)
        accepted, at = True, milliseconds(output.get("collector_tstamp", ""))
        found = output.get(KEY, [])
    except SnowplowEventTransformationException:
        accepted, at = False, milliseconds(columns[COLLECTOR_TSTAMP].replace(" ", "T") + "Z")
        found = alone(columns, DERIVED) or alone(columns, CONTEXTS)
    if at is None:
        return accepted, "bad_timestamp"
    return accepted, found if isinstance(found, str) else choose(found, at)


def alone(columns: list[str], index: int) -> list[Any] | str:
    """What the SDK finds in one column if all the others are empty."""
    try:
        found: list[Any] = transform("\t" * index + columns[index] + "\t" * (130 - index)).get(KEY, [])
    except SnowplowEventTransformationException:
        text = columns[index].lower()
        for character in string.ascii_letters + "-_./":
            text = text.replace(f"\\u{ord(character):04x}", character.lower())
        return "bad_context" if "levelcontext" in "".join(c for c in text if c not in "-_./\\") else []
    return found


def choose(found: list[Any], at: int) -> Verdict:
    """The first with both ids; else the first one's reason."""
    reasons = [IgnoredReason.NO_CONTEXT]
    for data in found:
        if not isinstance(data, dict):
            return "bad_context"
        player, level = data.get("user_id") or "", data.get("level_slug") or ""
        for value in (data.get("user_id"), data.get("level_slug"), player, level):
            if value is not None and (not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value)):
                return "bad_id"
        if len(player.encode()) > 1024 or len(level.replace("%", "%25").replace("/", "%2F").encode()) > 511:
            return "bad_id"
        if player and level:
            return LevelEvent(player, level, at)
        reasons.append(IgnoredReason.NULL_LEVEL if player else IgnoredReason.NULL_PLAYER)
    return IgnoredEvent(at, reasons[:2][-1])


def milliseconds(text: str) -> int | None:
    """The time in the SDK's notation, 2024-02-29T12:34:56.789Z; None if it is none."""
    whole, dot, fraction = text.removesuffix("Z").partition(".")
    digits = set(fraction) | set(whole[:4] + whole[17:]) <= set(string.digits)
    if len(whole) != 19 or not digits or (dot and not 1 <= len(fraction) <= 9) or whole[17:] > "59":
        return None
    try:
        return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(Decimal(f"0.{fraction}") * 1000)
    except ValueError:
        return None
