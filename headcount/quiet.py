"""How a shard without records knows that it has read everything up to some time (rule 6; pure)."""

from dataclasses import dataclass

# A batch is fetched after the batch three before it was handled: the daemon's prefetch queue holds one
# (PREFETCHED_BATCHES in KclDaemon.java), and one is in flight on either side of it. One more for safety.
BATCHES_ON_THEIR_WAY = 4

# That had to be waited for. A daemon that stood still for a moment makes one old push look awaited; what lay behind
# that one then comes at once.
PUSHES_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class Note:
    """Taken at ``at`` (wall clock, ms), when the stream's event time was known to have come to ``stream_time``."""

    at: int
    stream_time: int | None


class Quiet:
    """Confirms a note once a read that began after it found nothing.

    A batch that reaches the processor was read some time ago. So a note counts only when more batches than can be on
    their way have come since, and the newest of them was empty, from the stream's tip: everything that had arrived
    before the note is then read.

    Where batches are pushed any number can be on their way while the processor is busy. There the newest ones must each
    have been from the stream's tip, and waited for: then none was on its way. See ADR 12.
    """

    def __init__(self, needed: int = BATCHES_ON_THEIR_WAY + 1, *, in_a_row: bool = False) -> None:
        """``needed``: batches since the note; ``in_a_row``: each of them from the tip, not just the newest."""
        self._needed, self._in_a_row = needed, in_a_row
        self._note: Note | None = None
        self._batches_since = 0

    def batch(self, *, empty: bool, caught_up: bool, now: Note | None) -> Note | None:
        """Tell of a batch that was delivered; ``now``: what can be noted, if anything. Returns a note just confirmed.

        ``caught_up``: it came from the stream's tip and, where pushed, had to be waited for.
        """
        self._batches_since = 0 if self._in_a_row and not caught_up else self._batches_since + 1
        confirmed = None
        if self._note is not None and empty and caught_up and self._batches_since >= self._needed:
            confirmed, self._note = self._note, None
        if self._note is None:
            self._note, self._batches_since = now, 0
        return confirmed
