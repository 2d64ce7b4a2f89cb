"""Work beside a service's main loop."""

import pytest

from headcount.companion import LEAST_BACKOFF, MOST_BACKOFF, Companion


class _EndError(BaseException):
    """Nothing of a companion may catch this."""


def paused(*turns: float | Exception, first: float = 0.0) -> list[float]:
    """The pauses of a companion whose turns return or raise these."""
    left, pauses = list(turns), list[float]()

    def turn() -> float:
        if not left:
            raise _EndError
        come = left.pop(0)
        if isinstance(come, Exception):
            raise come
        return come

    with pytest.raises(_EndError):
        Companion("test", turn, first_after_seconds=first, sleep=pauses.append)._run()
    return pauses


def test_each_turn_says_when_the_next_one_is() -> None:
    assert paused(3, 4, first=7) == [7, 3, 4]


def test_a_turn_that_fails_is_tried_again_ever_later_and_as_before_once_it_goes_through() -> None:
    failure = RuntimeError("no")

    assert paused(failure, failure, 3, failure) == [0, LEAST_BACKOFF, 2 * LEAST_BACKOFF, 3, LEAST_BACKOFF]
    assert paused(*[failure] * 20)[-1] == MOST_BACKOFF
