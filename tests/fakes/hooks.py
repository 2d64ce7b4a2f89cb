"""Where a test breaks in: every fake calls a hook before and after each of its operations."""

from collections.abc import Callable

BEFORE, AFTER = "before", "after"

# Called with the operation's name and BEFORE or AFTER; what it raises, the operation raises.
Hook = Callable[[str, str], None]


def no_hook(_operation: str, _moment: str) -> None:
    """Nothing breaks in."""
