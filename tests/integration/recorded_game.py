"""A game that moves players itself, in the level aggregator's transactions, and remembers every state it was in."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from botocore.exceptions import ClientError

from headcount.model import Position, Progress, Transition
from headcount.tables.counts import CountTables, Net
from headcount.tables.progress import ProgressTable
from tests.integration.waiting import patience

WORKER = "level_aggregator/recorded@1/shard"
MINUTES_BACK = 90  # that leaves are counted in
PAUSE_SECONDS = 0.02
REST_SECONDS = 30.0  # until a move that is under way is made

Move = tuple[str | None, str | None]


@dataclass(frozen=True)
class Moment:
    """Players by level, and how often each move was made since the beginning."""

    levels: dict[str, int] = field(default_factory=dict)
    moves: Counter[Move] = field(default_factory=Counter)


class RecordedGame:
    """Moves players in a thread of its own while it is entered; `history`: all moments, from nothing on."""

    def __init__(self, counts: CountTables, progress: ProgressTable, levels: int, seed: int) -> None:
        self._counts, self._progress = counts, progress
        self._levels = [f"level-{number}" for number in range(levels)]
        self._rng = random.Random(seed)
        self._was = Progress()
        self._goes, self._ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._rests = threading.Event()
        self.history = [Moment()]

    def __enter__(self) -> Self:
        self._goes.set()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._goes.set()
        self._thread.join()

    def rest(self, until: Callable[[], object]) -> None:
        """Nobody moves while ``until`` runs."""
        self._rests.clear()
        self._goes.clear()
        assert self._rests.wait(patience(REST_SECONDS))
        until()
        self._goes.set()

    def _run(self) -> None:
        while not self._ends.is_set():
            while not self._goes.wait(PAUSE_SECONDS):
                self._rests.set()
            self._move()
            time.sleep(PAUSE_SECONDS * self._rng.random())

    def _move(self) -> None:
        net, now = Net(), int(time.time())
        levels, moves = Counter(self.history[-1].levels), Counter(self.history[-1].moves)
        for _ in range(self._rng.randrange(1, 6)):
            there = sorted(level for level, count in levels.items() if count > 0)
            source = self._rng.choice([*there, None]) if there else None
            target = self._rng.choice([level for level in [*self._levels, None] if level != source])
            if source is None and target is None:
                continue
            # Whoever leaves is counted in the minute in which the time was up, long past as that may be.
            minute = now // 60 - (self._rng.randrange(MINUTES_BACK) if target is None else 0)
            net.add(Transition(minute * 60, source, target))
            moves[source, target] += 1
            levels.subtract([source] if source else [])
            levels.update([target] if target else [])
        following = replace(self._was, position=Position((self._was.position or Position(0)).sequence + 1))
        try:
            self._counts.apply(net, self._progress, WORKER, self._was, following)
        except ClientError as error:
            raise AssertionError("nobody else writes") from error
        self._was = following
        self.history.append(Moment({level: count for level, count in levels.items() if count}, moves))
