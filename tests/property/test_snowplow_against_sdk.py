"""The reader against snowplow-analytics-sdk: an oracle that knows only the SDK's output and the rules in words."""

from collections import Counter
from random import Random

import pytest

from headcount.model import IgnoredEvent, IgnoredReason, PoisonError
from headcount.snowplow import EventReader
from tests.property.odd_lines import LINES, variant
from tests.property.sdk_oracle import Verdict, expected

READER = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")
VARIANTS_PER_LINE = 600


@pytest.mark.parametrize("number", range(len(LINES)))
def test_the_reader_agrees_with_the_sdk(number: int) -> None:
    """On what the SDK accepts, by its output; on what it rejects, by what it says to each contexts column alone."""
    random = Random(number)
    seen: Counter[tuple[bool, str]] = Counter()
    for line in (LINES[number], *(variant(random, LINES[number]) for _ in range(VARIANTS_PER_LINE))):
        accepted, wanted = expected(line)
        try:
            verdict: Verdict = READER.read(line.encode())
        except PoisonError as error:
            verdict = error.reason
        assert verdict == wanted, line
        kind = wanted.reason if isinstance(wanted, IgnoredEvent) else wanted if isinstance(wanted, str) else "event"
        seen[accepted, kind] += 1
    kinds = {"event", *IgnoredReason, "bad_timestamp", "bad_id"} - {IgnoredReason.OTHER_APP}
    assert {kind for accepted, kind in seen if accepted} >= kinds, "the generator has become too tame"
    assert {kind for accepted, kind in seen if not accepted} >= {"bad_context", *kinds}, "the generator is too tame"
