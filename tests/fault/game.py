"""A game under faults: the three services as processes, traffic that knows the truth, and the verdict after a drain."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

import boto3
from botocore.config import Config

from headcount.aws import StreamIdentity
from headcount.demo.fleet import SERVICES
from headcount.demo.observe import TableWatch
from headcount.demo.report import judge
from headcount.demo.traffic import Traffic
from headcount.demo.tsv import APP_ID, Event, Kind
from tests.fault.cast import Cast
from tests.fault.poisoned import PoisonedTruth, PoisonedWorld
from tests.integration.events import level_event
from tests.integration.sites import HASH_KEYS, Site
from tests.integration.waiting import eventually

FAILOVER_SECONDS = 2.0
IDLE_SECONDS, LATENESS_SECONDS = 20.0, 5.0
PLAYERS, LEVELS = 80, 8
POISON = 0.02
PROBES = 4  # a probe is as many records, spread so that each shard gets one
BEGUN_SECONDS = 120.0
RECOVERED_SECONDS = 120.0  # when even a late recovery is given up, so that a failure tells how late it was
DRAIN_SECONDS = 180.0
STILL_LOOKS = 4  # in a row
LOOK_SECONDS = 0.25
GLANCE_SECONDS = 0.1  # between looks where seconds are measured
_LONG = 3600.0
_PROBE = "probe"

SETTINGS = {
    "HEADCOUNT_FAILOVER_SECONDS": f"{FAILOVER_SECONDS:g}",
    "HEADCOUNT_IDLE_TIMEOUT_SECONDS": f"{IDLE_SECONDS:g}",
    "HEADCOUNT_ALLOWED_LATENESS_SECONDS": f"{LATENESS_SECONDS:g}",
    "HEADCOUNT_REFRESH_SECONDS": "3",
    "HEADCOUNT_STALL_SECONDS": "60",
    "HEADCOUNT_AUDIT_INTERVAL_SECONDS": "0",
}


class Game(Cast):
    """Services at work on a `Site`, under traffic from `begin` to `drain`. ``proxy``: where they find DynamoDB."""

    def __init__(self, site: Site, seed: int, *, rate: float = 60.0, proxy: str | None = None) -> None:
        super().__init__(site, {} if proxy is None else {"AWS_ENDPOINT_URL_DYNAMODB": proxy})
        self.truth = PoisonedTruth(IDLE_SECONDS, LATENESS_SECONDS)
        # Tries of its own would hide lost answers from the truth.
        self._kinesis = boto3.client(
            "kinesis",
            endpoint_url=site.kinesis.meta.endpoint_url,
            region_name=site.environment["AWS_REGION"],
            aws_access_key_id="traffic",
            aws_secret_access_key="traffic",  # noqa: S106 (an emulator takes any)
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
        world = PoisonedWorld(PLAYERS, LEVELS, seed, IDLE_SECONDS, poison=POISON)
        self.traffic = Traffic(self._kinesis, site.stream, world, self.truth, rate=rate, seconds=_LONG)
        created = site.kinesis.describe_stream_summary(StreamName=site.stream)["StreamDescriptionSummary"]
        identity = StreamIdentity(site.stream, str(int(created["StreamCreationTimestamp"].timestamp())))
        self.watch = TableWatch(site.players, site.counts, site.progress, str(identity))
        self._probes = 0

    def look(self) -> None:
        """Look at the tables, and after the cast."""
        self.restart_who_gave_up()
        self.watch.look()

    def begin(self, **own: Mapping[str, str]) -> None:
        """Start all services, and the traffic; returns when everything counts. ``own``: settings of one service."""
        for name in SERVICES:
            self.start(name, **own.get(name, {}))
        self.traffic.start()
        self.counts_again(BEGUN_SECONDS)
        eventually(lambda: self.site.progress.cutoff().completed, BEGUN_SECONDS, "a first pass of the pruner")

    def counts_again(self, seconds: float = RECOVERED_SECONDS) -> float:
        """Have somebody enter on each shard, and wait until LevelState has counted them; returns the seconds."""
        begun = time.monotonic()
        for number in range(PROBES):
            self._probes += 1
            self.send(f"{_PROBE}-{self._probes}", _PROBE, number * HASH_KEYS // PROBES)
        expected = self._probes

        def counted() -> bool:
            self.look()
            row = self.watch.levels.get(_PROBE)
            time.sleep(GLANCE_SECONDS)
            return row is not None and row.entered >= expected

        eventually(counted, seconds, f"{expected} probes to be counted; {self.last_words()}")
        return time.monotonic() - begun

    def send(self, player: str, level: str, hash_key: int = 0) -> None:
        """An event of now, beside the traffic; the truth hears of it."""
        at = time.time_ns() // 1_000_000
        line = level_event(player, level, at)
        self.site.kinesis.put_record(
            StreamName=self.site.stream, Data=line, PartitionKey=player, ExplicitHashKey=str(hash_key)
        )
        self.truth.record(Event(player, level, at, Kind.LEVEL, line, player, APP_ID))

    def passes_again(self, since: float) -> float:
        """Wait for a pass of the pruner that began after ``since`` (wall clock); returns the seconds from then on."""
        then = round(since * 1000)
        eventually(lambda: self.site.progress.cutoff().updated_at > then, RECOVERED_SECONDS, "a pass of the pruner")
        return time.time() - since

    def play(self, seconds: float) -> None:
        """Let time go by under traffic, looking on."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.look()
            time.sleep(LOOK_SECONDS)

    def settle(self) -> None:
        """Stop the traffic and wait until all of it is judged, pruned and counted."""
        if self.traffic.running:
            self.traffic.stop()
        patience_ms = round((IDLE_SECONDS + LATENESS_SECONDS) * 1000)
        self._until(lambda: self.site.tallies().total() >= self.truth.total, "every record to have its outcome")
        self._until(lambda: self.watch.is_pruned(patience_ms), "a pass at the last cutoff")
        self._until(self.watch.is_counted, "LevelState to be counted")

    def drain(self) -> None:
        """Settle, and end every service; each must say that it has drained."""
        self.settle()
        self.end_all()
        self.watch.look()

    def check(self, *, late: bool = False) -> None:
        """After a drain: I1 to I6, and equality with the truth. ``late``: whether anybody may have come late."""
        verdict = judge(self.truth, self.traffic.counters.resent, self.watch)
        assert verdict.differences == []
        assert all(verdict.invariants.values()), verdict.invariants
        tallies = self.site.tallies()
        letters = Counter(raw for _, _, _, raw in self.site.dead_letters())
        assert letters == self.truth.poison
        assert tallies["dead_lettered"] == self.truth.poison.total()
        if not late:
            assert tallies["late"] == 0, "a player at play was taken for late"

    def close(self) -> None:
        """Stop the traffic, whatever has become of it: the services end with the site."""
        with suppress(Exception):
            self.traffic.stop()
        self._kinesis.close()

    def _until(self, done: Callable[[], bool], what: str) -> None:
        """Look on until ``done`` holds several times in a row."""
        held = 0

        def stands() -> bool:
            nonlocal held
            self.look()
            held = held + 1 if done() else 0
            time.sleep(LOOK_SECONDS)
            return held >= STILL_LOOKS

        eventually(stands, DRAIN_SECONDS, what)
