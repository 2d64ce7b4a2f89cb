"""Tells when events flow and none is a level event: a wrong schema name must not look like an empty, healthy map."""

import time
from collections.abc import Callable

WARN_AFTER_SECONDS = 300.0
_FLOWING_SECONDS = 60.0  # without an event for so long the stream is silent, which is another matter

_WARNING = (
    f"Events have flowed for {WARN_AFTER_SECONDS / 60:.0f} minutes and none was a level event. Check "
    "HEADCOUNT_CONTEXT_SCHEMA, HEADCOUNT_PLAYER_FIELD, HEADCOUNT_LEVEL_FIELD and HEADCOUNT_APP_IDS; "
    "headcount_consumer_ignored_total tells why events were ignored."
)


class LevelEventWatch:
    """Is shown the counts of events now and then; times in s of ``monotonic``."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ignored = self._level_events = 0.0
        self._since: float | None = None
        self._flowed_at = float("-inf")

    def observe(self, ignored: float, level_events: float) -> list[str]:
        """Take in the counts of all time; returns warnings for `/readyz`."""
        now = self._monotonic()
        if level_events != self._level_events:
            self._since = None
        elif ignored != self._ignored and self._since is None:
            self._since = now
        if ignored != self._ignored:
            self._flowed_at = now
        self._ignored, self._level_events = ignored, level_events
        if self._since is None or now - self._since < WARN_AFTER_SECONDS or now - self._flowed_at > _FLOWING_SECONDS:
            return []
        return [_WARNING]
