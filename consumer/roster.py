"""What one record processor knows of the players on its shard, and what it writes of them (rules 1, 2, 6; pure)."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from consumer.ledger import Entry
from headcount.model import LevelEvent, Outcome, PlayerRow
from headcount.rules import Decision, decide, is_late, rank


class Kind(StrEnum):
    """What a write of PlayerState is for."""

    CHANGE = "change"
    RENEWAL = "renewal"


@dataclass(frozen=True, slots=True)
class Write:
    """A conditional write that shall be made now; ``known``: the player had a row when last seen or written."""

    event: LevelEvent
    kind: Kind
    known: bool


Noted = tuple[LevelEvent, Entry]

# Yields each write; is sent None when it was made, else the row seen to be at least as great.
Writes = Generator[Write, PlayerRow | None, None]


@dataclass(slots=True)
class Seat:
    """One player: the greatest row seen or written (None: unknown), and the events that wait as its renewal."""

    row: PlayerRow | None = None
    held: list[Noted] = field(default_factory=list)
    held_since: float = 0.0

    def with_new(self, noted: list[Noted]) -> tuple[list[Noted], list[Noted]]:
        """What waits and need not be judged again, and what is to be judged, in the order of rule 1.

        Where all that is new follows what waits, and the row still stands, that would be judged as it was: else each of
        a player's events would be judged anew with each one that comes.
        """
        if self.held and self.row is not None and all(_rank(one) >= _rank(self.held[-1]) for one in noted):
            return self.held, sorted(noted, key=_rank)
        return [], sorted([*self.held, *noted], key=_rank)


class Roster:
    """The seats of one shard's processor. ``refresh``: how long a renewal may wait; times in s, monotonic."""

    def __init__(self, refresh: float) -> None:
        self._refresh = refresh
        self._seats: dict[str, Seat] = {}
        self._waiting: dict[str, Seat] = {}  # those of them whose renewal waits
        self._cutoff: int | None = None

    @property
    def held_back(self) -> int:
        """How many players' renewals wait."""
        return len(self._waiting)

    def raise_cutoff(self, cutoff: int | None) -> set[str]:
        """Take the cutoff in; a row below it may have been deleted, so it counts as unknown.

        Returns the players whose waiting renewal has thereby become a change, due at once.
        """
        if cutoff == self._cutoff:
            return set()
        self._cutoff = cutoff
        due = set()
        for player, seat in list(self._seats.items()):
            if seat.row is not None and is_late(seat.row.at, cutoff):
                seat.row = None
                if seat.held:
                    due.add(player)
                else:
                    del self._seats[player]
        return due

    def due(self, now: float, read_by: float = float("-inf")) -> set[str]:
        """Players whose renewal has waited for so long that it is to be written, or holds what was read by then."""
        return {
            player
            for player, seat in self._waiting.items()
            if seat.held_since <= read_by or now - seat.held_since >= self._refresh
        }

    def take(self, noted: Iterable[Noted], due: set[str], now: float) -> list[Writes]:
        """The writes that new events and due renewals ask for: one generator per player, in any order among them."""
        by_player: dict[str, list[Noted]] = {player: [] for player in due}
        for event, entry in noted:
            by_player.setdefault(event.player, []).append((event, entry))
        return [self._settle(player, new, now, due) for player, new in by_player.items()]

    def _settle(self, player: str, new: list[Noted], now: float, due: set[str]) -> Writes:
        """Settle what waits and what is new of one player, together, in the order of rule 1.

        Each change of level is written, at the time of its first event. The rest of a run of events in one level is
        its renewal: it waits, unless due, and one that a later change overtakes is never written.
        """
        seat = self._seats.setdefault(player, Seat())
        since = seat.held_since if seat.held else now
        waiting, unjudged = seat.with_new(new)
        for event, entry in unjudged:
            if is_late(event.at, self._cutoff):
                entry.outcome = Outcome.LATE
                continue
            match decide(seat.row, event):
                case Decision.STALE:
                    entry.outcome = Outcome.STALE
                case Decision.RENEWAL:
                    waiting.append((event, entry))
                case Decision.CHANGE:
                    yield from _write(seat, [*waiting, (event, entry)], Kind.CHANGE)
                    waiting, since = [], now
        if waiting and player in due:
            yield from _write(seat, waiting, Kind.RENEWAL)
            waiting = []
        seat.held, seat.held_since = waiting, since
        if waiting:
            self._waiting[player] = seat
        else:
            self._waiting.pop(player, None)
        if seat.row is None and not waiting:  # all late: nobody is there
            del self._seats[player]


def _rank(noted: Noted) -> tuple[int, str]:
    return rank(noted[0])


def _write(seat: Seat, run: list[Noted], kind: Kind) -> Writes:
    """Write the last event of ``run``; what it overtakes was as new as it when it came, and shares its outcome."""
    event = run[-1][0]
    seen = yield Write(event, kind, known=seat.row is not None)
    seat.row = PlayerRow(event.level, event.at) if seen is None else seen
    for _, entry in run:
        entry.outcome = Outcome.APPLIED if seen is None else Outcome.STALE
