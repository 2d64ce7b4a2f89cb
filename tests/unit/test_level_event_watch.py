"""The warning that events flow and none is a level event."""

from consumer.level_event_watch import WARN_AFTER_SECONDS, LevelEventWatch


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _watched(clock: _Clock, *steps: tuple[float, float, float]) -> list[str]:
    watch = LevelEventWatch(clock)
    warnings: list[str] = []
    for seconds, ignored, level_events in steps:
        clock.now += seconds
        warnings = watch.observe(ignored, level_events)
    return warnings


def test_warns_after_five_minutes_of_events_of_which_none_counts() -> None:
    steps = [(10.0, float(n), 0.0) for n in range(1, 40)]
    assert len(_watched(_Clock(), *steps)) == 1
    assert "HEADCOUNT_CONTEXT_SCHEMA" in _watched(_Clock(), *steps)[0]


def test_does_not_warn_before_five_minutes() -> None:
    assert _watched(_Clock(), (0, 1, 0), (WARN_AFTER_SECONDS - 1, 2, 0)) == []


def test_a_level_event_starts_the_wait_anew() -> None:
    steps = [(10.0, float(n), 1.0 if n >= 20 else 0.0) for n in range(1, 40)]
    assert _watched(_Clock(), *steps) == []


def test_a_silent_stream_is_no_wrong_schema() -> None:
    assert _watched(_Clock(), (0, 5, 0), (WARN_AFTER_SECONDS * 2, 5, 0)) == []


def test_level_events_that_stop_while_others_flow_are_warned_of() -> None:
    steps = [(10.0, float(n), 3.0) for n in range(1, 50)]
    assert len(_watched(_Clock(), (0, 0, 3), *steps)) == 1
