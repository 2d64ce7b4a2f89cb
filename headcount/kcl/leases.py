"""What the KCL's lease table says over time: whose the leases are, and which of them nobody moves (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STILL_FAILOVERS = 3  # a live owner renews its lease three times in *one* failover time


@dataclass(frozen=True, slots=True)
class Lease:
    """A row of the lease table; ``counter``: its owner raises it whenever it renews the lease."""

    key: str
    owner: str | None
    counter: int


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases at one look, each in one of three states, and more of some.

    ``stalled``: no owner, or not moved for long. ``still``: not moved for long, be it with an owner or without: a new
    lease has none for a moment. ``all_moved``: each of them was seen to move since this process first saw it.
    """

    mine: int = 0
    others: int = 0
    stalled: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    all_moved: bool = False


@dataclass(slots=True)
class _Watched:
    lease: Lease
    since: float  # it is as it is
    moved: bool = False


@dataclass
class LeaseBook:
    """Remembers the leases from look to look, by this process' own clock: those of the owners may be wrong."""

    worker_id: str
    failover_seconds: float
    _watched: dict[str, _Watched] = field(default_factory=dict)

    def observe(self, leases: Iterable[Lease], now: float) -> Leases:
        """Take in the leases of all shards that have not ended."""
        watched: dict[str, _Watched] = {}
        for lease in leases:
            before = self._watched.get(lease.key)
            if before is None:
                watched[lease.key] = _Watched(lease, now)
            elif before.lease != lease:
                watched[lease.key] = _Watched(lease, now, moved=True)
            else:
                watched[lease.key] = before
        self._watched = watched
        longest = STILL_FAILOVERS * self.failover_seconds
        still = {key for key, one in watched.items() if now - one.since > longest}
        stalled = still | {key for key, one in watched.items() if one.lease.owner is None}
        moving = [one for key, one in watched.items() if key not in stalled]
        mine = sum(1 for one in moving if one.lease.owner == self.worker_id)
        return Leases(
            mine=mine,
            others=len(moving) - mine,
            stalled=tuple(sorted(stalled)),
            still=tuple(sorted(still)),
            all_moved=all(one.moved for one in watched.values()),
        )


def moved(before: Iterable[Lease], after: Iterable[Lease]) -> list[Lease]:
    """The leases that somebody holds and has renewed or taken between two looks: their owners live."""
    known = {lease.key: lease for lease in before}
    return [lease for lease in after if lease.owner is not None and known.get(lease.key) != lease]
