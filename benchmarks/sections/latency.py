"""How long until people see it: an event's way to LevelState through the real daemons, and a silent player's."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from benchmarks import load
from benchmarks.beside import Beside
from benchmarks.places import DYNAMODB_LOCAL, HEAP_MEGABYTES, install
from benchmarks.results import Findings, Sense
from headcount.demo.dynamodb_local import DynamoDbLocal
from headcount.demo.ministack import MiniStack
from tests.integration.events import level_event
from tests.integration.sites import Site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from benchmarks.places import Size
    from tests.integration.service import Service

PROBES, LEAST_PROBES = 200, 20
LOW_RATE = 10.0  # events a second beside the probes
BACKLOG = 4_000
LOAD_SHARE = 0.8
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 120.0
PUT_AT_ONCE, SENDERS = 100, 4
IDLE_SECONDS, LATENESS_SECONDS, PRUNE_SECONDS, REFRESH_SECONDS = 10.0, 1.0, 1.0, 1.0
LEAVING = 20
POLL_MILLISECONDS, SLOWER_POLLS = 200, (500, 1000)
METHOD = f"""The three services as real processes with their KCL daemons; the events' stream, of two shards, on
MiniStack, the tables on DynamoDB Local. HEADCOUNT_POLL_MILLISECONDS={POLL_MILLISECONDS}, the five reads a second
and shard that Kinesis allows (its default is 500: below); no live audits; the KCL's failover after 2 s. A probe is
a new player in a new level: from before its put to when a consistent read of LevelState, made every
{LOOK_SECONDS * 1000:.0f} ms, sees it. Capacity: {BACKLOG:,} events of the standard load's game, put by
{SENDERS} threads, until the last is counted, after as many with which its players come: the emulators' and the
sender's share of two cores is in it. Then {LOAD_SHARE:.0%} of that rate, if so much can be sent, and low load,
{LOW_RATE:.0f} events a second, each beside the probes. Low load once more, with fewer probes: with slower polls,
and pushed, by enhanced fan-out (MiniStack looks every 0.2 s whether there is something to push, where AWS pushes at
once). Leaving: with an idle timeout of {IDLE_SECONDS:.0f} s, {LATENESS_SECONDS:.0f} s of lateness, a pass every
{PRUNE_SECONDS:.0f} s and a refresh of {REFRESH_SECONDS:.0f} s, from a player's last event until LevelState has
nobody in that level; what is told is the time beyond idle timeout and lateness."""


class Play:
    """The whole of Headcount on emulators, while the context lasts; ``settings`` on top of the defaults."""

    def __init__(self, name: str, settings: Mapping[str, str], shards: int = 2) -> None:
        self._name, self._shards, self._settings = name, shards, settings
        self._stack = ExitStack()
        self._number = 0

    def __enter__(self) -> Self:
        """Start all of it, and wait until a first event is counted."""
        install()
        with ExitStack() as stack:
            directory = Path(stack.enter_context(TemporaryDirectory(prefix="headcount-bench-")))
            base = stack.enter_context(DynamoDbLocal(DYNAMODB_LOCAL, heap_megabytes=HEAP_MEGABYTES))
            kinesis = stack.enter_context(MiniStack(services=["kinesis"]))
            own = {
                "AWS_ENDPOINT_URL_DYNAMODB": base.endpoint_url,
                "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": base.endpoint_url,
                "HEADCOUNT_POLL_MILLISECONDS": str(POLL_MILLISECONDS),
                "HEADCOUNT_REFRESH_SECONDS": "60",
                "HEADCOUNT_PRUNE_INTERVAL_SECONDS": "30",
                "HEADCOUNT_AUDIT_INTERVAL_SECONDS": "0",
            }
            settings = {**own, **self._settings}
            self.site = stack.enter_context(
                Site(kinesis.endpoint_url, self._name, directory, shards=self._shards, **settings)
            )
            self.services: list[Service] = [
                self.site.start(name) for name in ("consumer", "level_aggregator", "pruner")
            ]
            for shard in range(self._shards):
                self.seen(*self.put(shard))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def put(self, shard: int) -> tuple[str, float]:
        """A new player in a new level; returns the level, and when (before the put)."""
        self._number += 1
        level = f"probe-{self._number}"
        begun = time.monotonic()
        self.site.put(shard, level_event(f"prober-{self._number}", level, time.time_ns() // 1_000_000))
        return level, begun

    def seen(self, level: str, begun: float, *, players: int = 1) -> float:
        """Seconds since ``begun`` when LevelState says so many players; raises `TimeoutError` if it never does."""
        while self._players(level) != players:
            if time.monotonic() - begun > PATIENCE_SECONDS:
                raise TimeoutError(f"{level} has not {players} players after {PATIENCE_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - begun

    def _players(self, level: str) -> int:
        key = {"levelId": {"S": level}}
        found = self.site.dynamodb.get_item(TableName=self.site.tables["LEVEL"], Key=key, ConsistentRead=True)
        return int(found["Item"]["playerCount"]["N"]) if "Item" in found else 0


@dataclass
class Traffic(Beside):
    """The standard load's game, at so many events a second, in a thread while the context lasts."""

    play: Play
    rate: float
    sent: int = 0

    def _run(self) -> None:
        moments = iter(load.moments(load.STANDARD, 3600 * self.rate / load.STANDARD.events_per_second))
        begun = time.monotonic()
        while not self._ended.wait(0.1):
            due = int((time.monotonic() - begun) * self.rate) - self.sent
            send(self.play, [next(moments) for _ in range(due)], self.sent)
            self.sent += due


def send(play: Play, moments: list[load.Moment], number: int) -> None:
    """Put events, as of now, on the shards in turn, by several threads."""
    now = time.time_ns() // 1_000_000
    lines = [load.line(load.Moment(now, one.player, one.level), number + n) for n, one in enumerate(moments)]
    parts = [lines[at : at + PUT_AT_ONCE] for at in range(0, len(lines), PUT_AT_ONCE)]

    def put(part: int) -> None:
        play.site.put((number // PUT_AT_ONCE + part) % play.site.shards, *parts[part])

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(put, range(len(parts))))


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("From an event to what people see", METHOD)
    probes = max(LEAST_PROBES, size.of(PROBES))
    with Play("bench-latency", {}) as play:
        capacity = found.figure("capacity of the chain on this machine", "events/s", _capacity(play, size.of(BACKLOG)))
        with Traffic(play, LOAD_SHARE * capacity) as traffic:
            begun = time.monotonic()
            waits = _probe(play, probes)
            rate = traffic.sent / (time.monotonic() - begun)
        at = f"at {rate / capacity:.0%} of capacity"  # what was sent, whatever was asked for
        _, p99 = _told(found, at, waits, f"{rate:.0f} events/s")
        found.target(f"event put to LevelState, {at}, p99", Sense.MOST, 2, p99, "s")
        with Traffic(play, LOW_RATE):
            p50, p99 = _told(found, "low load", _probe(play, probes))
        name = f"event put to LevelState, low load, polls every {POLL_MILLISECONDS} ms"
        found.target(f"{name}, p50", Sense.MOST, 0.35, p50, "s")
        found.target(f"{name}, p99", Sense.MOST, 0.8, p99, "s")
    others = [(f"polls every {poll} ms", poll, {"HEADCOUNT_POLL_MILLISECONDS": str(poll)}) for poll in SLOWER_POLLS]
    others.append(("pushed", POLL_MILLISECONDS, {"HEADCOUNT_ENHANCED_FAN_OUT": "true"}))
    for name, poll, settings in others:
        with Play("bench-latency", settings) as play:
            _capacity(play, size.of(BACKLOG) // 2)  # its players are known
            with Traffic(play, LOW_RATE):
                _told(found, f"low load, {name}", _probe(play, probes // 2, poll))
    _leaving(found, size)
    return found


def _probe(play: Play, probes: int, poll_milliseconds: int = POLL_MILLISECONDS) -> list[float]:
    rng = random.Random(7)
    waits = []
    for number in range(probes):
        time.sleep(rng.uniform(0, poll_milliseconds / 1000))  # at any phase of the polls
        waits.append(play.seen(*play.put(number % play.site.shards)))
    return waits


def _told(found: Findings, name: str, waits: list[float], note: str = "") -> tuple[float, float]:
    hundredths = quantiles(waits, n=100, method="inclusive")
    slowest = max(range(len(waits)), key=waits.__getitem__)
    note = f"{note}; " if note else ""
    note += f"slowest: {waits[slowest]:.1f} s, probe {slowest + 1} of {len(waits)}"
    p50 = found.figure(f"event put to LevelState, {name}", "s", waits, note)
    p99 = found.figure(f"event put to LevelState, {name}, p99", "s", hundredths[98])
    return p50, p99


def _capacity(play: Play, count: int) -> float:
    moments = load.moments(load.STANDARD, 3 * count / load.STANDARD.events_per_second)
    for first in (0, count):
        begun = time.monotonic()
        send(play, moments[first : first + count], first)
        for level, since in [play.put(shard) for shard in range(play.site.shards)]:
            play.seen(level, since)
    return count / (time.monotonic() - begun)


def _leaving(found: Findings, size: Size) -> None:
    settings = {
        "HEADCOUNT_IDLE_TIMEOUT_SECONDS": f"{IDLE_SECONDS:g}",
        "HEADCOUNT_ALLOWED_LATENESS_SECONDS": f"{LATENESS_SECONDS:g}",
        "HEADCOUNT_PRUNE_INTERVAL_SECONDS": f"{PRUNE_SECONDS:g}",
        "HEADCOUNT_REFRESH_SECONDS": f"{REFRESH_SECONDS:g}",
    }
    with Play("bench-leaving", settings) as play, Traffic(play, LOW_RATE * 4):
        players = max(2, size.of(LEAVING))
        put = [play.put(number % play.site.shards) for number in range(players)]
        for level, begun in put:
            play.seen(level, begun)
        waits = [play.seen(level, begun, players=0) - IDLE_SECONDS - LATENESS_SECONDS for level, begun in put]
    found.figure("player silent to gone, beyond idle timeout and lateness", "s", waits)
