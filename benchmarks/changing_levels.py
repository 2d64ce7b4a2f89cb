"""Levels that change each second, by transactions of the level aggregator's kind; one of them is the probe."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.beside import Beside
from headcount.model import Position, Progress, Transition
from headcount.tables.counts import Net

if TYPE_CHECKING:
    from tests.integration.sites import Site

LEVELS, CHANGING = 200, 30
AT_ONCE, PROBE = 90, "probe"


@dataclass
class ChangingLevels(Beside):
    """Changes levels each second, in a thread while the context lasts. ``sent``: monotonic s by the probe's count."""

    site: Site
    sent: dict[int, float] = field(default_factory=dict)

    def _run(self) -> None:
        was, rng = self._fill(), random.Random(7)
        while True:
            begun = time.monotonic()
            number = len(self.sent) + 1
            self.sent[number] = begun
            was = self._write(_moves(number), was)
            pause = rng.uniform(0.8, 1.2)  # else all would come at one phase of the map's looks
            if self._ended.wait(max(0.0, pause - (time.monotonic() - begun))):
                return

    def _fill(self) -> Progress:
        """Some players for every level, in transactions that hold no more."""
        was = Progress()
        for first in range(0, LEVELS, AT_ONCE):
            net = Net()
            for number in range(first, min(LEVELS, first + AT_ONCE)):
                net.entered[level(number)] += 100 + number
            was = self._write(net, was)
        return was

    def _write(self, net: Net, was: Progress) -> Progress:
        position = Position(was.position.sequence + 1 if was.position else 1)
        now = Progress(position, updated_at=round(time.time() * 1000))
        self.site.counts.apply(net, self.site.progress, "bench", was, now)
        return now


def _moves(number: int) -> Net:
    """Of one second: from levels to those that come next in the game, and one player more in the probe."""
    minute, net = int(time.time()) // 60 * 60, Net()
    net.add(Transition(minute, None, PROBE))
    for n in range(CHANGING // 2):
        source = 2 * n + number * CHANGING
        net.add(Transition(minute, level(source), level(source + 1)))
    return net


def level(number: int) -> str:
    """One of them."""
    return f"level-{number % LEVELS:03}"
