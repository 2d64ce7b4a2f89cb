"""Turns what is observed into what the screen shows."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from headcount.demo.fleet import MAP
from headcount.demo.screen import Move, Screen, Service, Snapshot, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headcount.demo.fleet import Fleet, Running
    from headcount.demo.observe import Observer
    from headcount.demo.options import Options
    from headcount.demo.traffic import Traffic

SCRAPE_SECONDS = 1.0
_MOVES_SHOWN = 12
_STARTING_SECONDS = 10.0


class View:
    """Keeps the start-up's steps, and reads the slower things only now and then."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._began = time.monotonic()
        self._steps: list[tuple[str, bool, float]] = []
        self._scraped_at = float("-inf")
        self._moves: list[Move] = []
        self._map = ""
        self.phase = "starting"
        self.shown = self.busiest = Snapshot()

    def elapsed(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, name: str, screen: Screen) -> Iterator[None]:
        """A step of the start-up, shown as under way, then as done."""
        begun = time.monotonic()
        self._steps.append((name, False, 0.0))
        screen.show(self._snapshot())
        yield
        self._steps[-1] = (name, True, time.monotonic() - begun)
        screen.show(self._snapshot())

    def show(self, screen: Screen, traffic: Traffic, observer: Observer, fleet: Fleet, kills: int) -> None:
        """Show the present."""
        if time.monotonic() - self._scraped_at >= SCRAPE_SECONDS:
            self._scraped_at = time.monotonic()
            observer.scrape()
            self._moves = _moves(observer)
            if observer.ready.get(MAP):
                self._map = fleet.map_address
        counters, cutoff = traffic.counters, observer.cutoff
        writes = observer.totals.sum("headcount_consumer_player_writes_total")
        levels = {level: row.players for level, row in observer.levels.items() if row.players}
        waiting = [("services start, first count", False, self.elapsed() - sum(step[2] for step in self._steps))]
        self.shown = Snapshot(
            elapsed=self.elapsed(),
            total=self._options.seconds,
            phase=self.phase,
            map=self._map,
            steps=[*self._steps, *waiting],
            levels=levels,
            moves=self._moves,
            sent=counters.acknowledged,
            per_second=counters.per_second,
            players=sum(levels.values()),
            writes_per_event=writes / counters.acknowledged if counters.acknowledged else None,
            lag_seconds=observer.totals.quantile("headcount_aggregator_lag_seconds", 0.5),
            services={running.name: _service(running, observer) for running in fleet.services()},
            kills=kills,
            cutoff_age_seconds=time.time() - cutoff.cutoff / 1000 if cutoff and cutoff.cutoff else None,
            held_back=cutoff.held_back if cutoff else "",
        )
        screen.show(self.shown)

    def _snapshot(self) -> Snapshot:
        return Snapshot(elapsed=self.elapsed(), total=self._options.seconds, phase=self.phase, steps=list(self._steps))


def _service(running: Running, observer: Observer) -> Service:
    state: State = "ready" if observer.ready.get(running.name) else "starting" if running.starts == 1 else "restarting"
    if running.process.poll() is not None:
        return Service("down", None, "drained" if running.drained else "")
    if state == "starting" and time.monotonic() - running.started_at > _STARTING_SECONDS:
        state = "up"
    return Service(state, running.process.pid, f"start {running.starts}" if running.starts > 1 else "")


def _moves(observer: Observer) -> list[Move]:
    """The latest minute's transitions first, the most frequent of a minute before the others."""
    rows = sorted(observer.transitions(), key=lambda pair: (-pair[0].period, -pair[1]))
    return [
        (datetime.fromtimestamp(move.period, UTC).astimezone().strftime("%H:%M"), move.source, move.target, count)
        for move, count in rows[:_MOVES_SHOWN]
    ]
