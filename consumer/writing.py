"""Makes the writes of PlayerState that a batch of records asks for: in order for one player, different ones at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from headcount.logs import hashed
from headcount.tables.players import MOST_STATEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from consumer.roster import Write, Writes
    from headcount.metrics import ConsumerMetrics
    from headcount.model import PlayerRow
    from headcount.tables.players import PlayerTable

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Turn:
    """A player's next write, and whoever is to be told what came of it."""

    writes: Writes
    write: Write

    def done(self, seen: PlayerRow | None) -> _Turn | None:
        """Tell what came of it; the player's next one, if there is one."""
        event, kind = self.write.event, self.write.kind.value
        _log.debug("write", player=hashed(event.player), into=event.level, kind=kind, seen=seen)
        try:
            return _Turn(self.writes, self.writes.send(seen))
        except StopIteration:
            return None


class PlayerWriter:
    """Goes round by round: the next write of each player, all at once, as few calls as they fit into.

    A player who is known to have a row is written in a batch, whose statements fail where there is none; any other
    alone, by the update that makes one. What is under way is never more than one write per player, and `write` returns
    when all are made: the KCL delivers nothing meanwhile.
    """

    def __init__(self, players: PlayerTable, writers: Executor, metrics: ConsumerMetrics) -> None:
        self._players, self._writers, self._metrics = players, writers, metrics

    def write(self, players: Iterable[Writes]) -> Counter[str]:
        """Make them; returns how many there were by kind and result. Raises what a write raises."""
        made: Counter[tuple[str, str]] = Counter()
        turns = [_Turn(writes, first) for writes in players if (first := next(writes, None)) is not None]
        while turns:
            calls = _calls(turns)
            turns = []
            for call, results in zip(calls, self._writers.map(self._call, calls), strict=True):
                for turn, seen in zip(call, results, strict=True):
                    made[turn.write.kind.value, "written" if seen is None else "stale"] += 1
                    if (following := turn.done(seen)) is not None:
                        turns.append(following)
        for (kind, result), count in made.items():
            self._metrics.writes.labels(kind=kind, result=result).inc(count)
        return Counter({f"{kind}s_{result}": count for (kind, result), count in made.items()})

    def _call(self, turns: Sequence[_Turn]) -> list[PlayerRow | None]:
        """Make the writes of one call; see `PlayerTable.apply`."""
        with self._metrics.write_seconds.time():
            if turns[0].write.known:
                return self._players.apply_all([turn.write.event for turn in turns])
            return [self._players.apply(turn.write.event) for turn in turns]


def _calls(turns: Sequence[_Turn]) -> list[list[_Turn]]:
    """The turns of each call: known ones together, any other alone."""
    known = [turn for turn in turns if turn.write.known]
    batches = [known[at : at + MOST_STATEMENTS] for at in range(0, len(known), MOST_STATEMENTS)]
    return batches + [[turn] for turn in turns if not turn.write.known]
