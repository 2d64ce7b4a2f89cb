"""The time of an enriched event: ``collector_tstamp`` as Enrich writes it, in ms since the epoch. Pure."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from headcount.model import PoisonError, PoisonReason

# The calendar is fromisoformat's affair, except that newer Pythons would take 24:00:00.
_SECOND = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3])(?::[0-9]{2}){2}")
_SECOND_LENGTH = len("YYYY-MM-DD HH:MM:SS")
_FRACTION = re.compile(rb"(?:\.[0-9]{1,9})?")
_USUAL_FRACTIONS = {b".%03d" % number: number for number in range(1000)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(text: bytes) -> int:
    """A timestamp column, valid UTF-8, in ms since the epoch; finer fractions are cut off.

    Raises:
        PoisonError: ``bad_timestamp``.
    """
    rest = text[_SECOND_LENGTH:]
    fraction = _USUAL_FRACTIONS.get(rest)
    try:
        return _second(text[:_SECOND_LENGTH]) + (_fraction(rest) if fraction is None else fraction)
    except ValueError:
        message = f"collector_tstamp ({len(text.decode())} characters) is no YYYY-MM-DD HH:MM:SS[.f]"
        raise PoisonError(PoisonReason.BAD_TIMESTAMP, message) from None


def _fraction(text: bytes) -> int:
    """The ms in a fraction of any length, or in none."""
    if not _FRACTION.fullmatch(text):
        raise ValueError
    return int(text[1:4].ljust(3, b"0"))


@lru_cache(maxsize=1024)  # many events share a second
def _second(text: bytes) -> int:
    if not _SECOND.fullmatch(text):
        raise ValueError
    return (datetime.fromisoformat(f"{text.decode()}+00:00") - _EPOCH) // _MILLISECOND
