"""A clock that moves only when it is told to, or slept on."""


class Clock:
    """Wall clock and monotonic clock in one; seconds."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass, and note it."""
        self.slept.append(seconds)
        self.now += seconds
