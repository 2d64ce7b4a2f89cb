"""How a run ends at once where an invariant is broken."""


class BrokenError(BaseException):
    """An invariant is broken. No service may catch this: it would pass for a crash."""


def hold(condition: object, told: object) -> None:
    """Raise `BrokenError` unless ``condition`` is true."""
    if not condition:
        raise BrokenError(told)
