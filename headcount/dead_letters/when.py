"""What ``--since`` takes: a moment, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: float) -> int:
    """Milliseconds since the epoch; raises `ValueError` with a line for a person. Without an offset it is UTC."""
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            at = datetime.fromtimestamp(now, UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is neither a moment like 2026-11-24T07:00:00 (UTC) nor a time ago like 90s, 15m, 2h, 3d"
        ) from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
