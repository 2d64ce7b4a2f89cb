"""A consumer's roster at work on a table of rows."""

from collections.abc import Sequence

from consumer.ledger import Entry
from consumer.roster import Kind, Roster
from headcount.model import LevelEvent, Outcome, PlayerRow
from headcount.rules import rank

REFRESH = 60.0
Written = tuple[str, int, Kind]


class Desk:
    """A roster, a table of rows, and all that was written to it."""

    def __init__(self) -> None:
        self.roster = Roster(REFRESH)
        self.rows: dict[str, PlayerRow] = {}
        self.entries: list[Entry] = []

    def take(
        self, *events: tuple[str, int], now: float = 0, everything: bool = False, player: str = "ann"
    ) -> list[Written]:
        """Bring events as one batch; returns the writes that succeed or fail, in order."""
        noted = []
        for level, at in events:
            self.entries.append(Entry(str(len(self.entries)), 0, 0, at))
            noted.append((LevelEvent(player, level, at), self.entries[-1]))
        return self.write(noted, self.roster.due(now, float("inf") if everything else float("-inf")), now)

    def write(self, noted: Sequence[tuple[LevelEvent, Entry]], due: set[str], now: float) -> list[Written]:
        """Make the writes, as the table would."""
        made: list[Written] = []
        for writes in self.roster.take(noted, due, now):
            write = next(writes, None)
            while write is not None:
                event = write.event
                made.append((event.level, event.at, write.kind))
                row = self.rows.get(event.player)
                seen = row if row is not None and rank(row) >= rank(event) else None
                if seen is None:
                    self.rows[event.player] = PlayerRow(event.level, event.at)
                try:
                    write = writes.send(seen)
                except StopIteration:
                    write = None
        return made

    @property
    def outcomes(self) -> list[Outcome | None]:
        """Of all events brought, in order."""
        return [entry.outcome for entry in self.entries]
