"""How a run ends at once where an invariant is broken."""


class BrokenError(BaseException):
    """An invariant is broken. No service may catch this: it would pass for a crash."""


def hold(condition: object, told: str, *values: object) -> None:
    """Raise `BrokenError` unless ``condition`` is true; ``values`` are put into what is ``told``, but only then."""
    if not condition:
        raise BrokenError(told.format(*values) if values else told)
