"""One run of the demo, from the embedded AWS's start to the report."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from headcount.aws import Aws, UnavailableError, verify_stream
from headcount.demo.fleet import MAP, SERVICES, Fleet, environment
from headcount.demo.ministack import MiniStack
from headcount.demo.observe import Observer
from headcount.demo.options import Options
from headcount.demo.report import Kill, Report, make_report
from headcount.demo.screen import Screen, Snapshot
from headcount.demo.traffic import Traffic
from headcount.demo.truth import Truth
from headcount.demo.view import View
from headcount.demo.world import World
from headcount.environment import load_settings
from headcount.provision import provision
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mypy_boto3_kinesis import KinesisClient

    from headcount.lifecycle import Stop

KILL_EVERY_SECONDS = 10.0
FIRST_COUNT_SECONDS = 120.0
DRAIN_SECONDS = 240.0
LOOK_SECONDS = 0.25
_DRAINED_LOOKS = 4  # looks in a row at which nothing differs


class DemoError(Exception):
    """The run could not be made; the message says why."""


def run(options: Options, directory: Path, stop: Stop) -> tuple[Report, Snapshot]:
    """Run the demo until its traffic has ended or ``stop`` is asked for; drains either way, and compares.

    Returns the report, and what the screen showed last under traffic. Raises `DemoError` or `EmulatorError` where it
    could not be made.
    """
    view = View(options)
    with Screen() as screen, ExitStack() as stack:
        with view.step("embedded AWS", screen):
            ministack = stack.enter_context(MiniStack())
        try:
            report = _Run(options, directory, stop, ministack.endpoint_url, view, screen).run()
        except UnavailableError as error:
            raise DemoError(str(error)) from error
    return report, view.busiest


class _Run:
    def __init__(
        self, options: Options, directory: Path, stop: Stop, endpoint: str, view: View, screen: Screen
    ) -> None:
        self._options, self._stop, self._view, self._screen = options, stop, view, screen
        variables = environment(endpoint, options.settings(directory))
        # The demo's own repositories use the same settings, in this process.
        for name in list(os.environ):
            if name.startswith(("HEADCOUNT_", "AWS_")):
                del os.environ[name]
        os.environ.update(variables)
        self._settings = load_settings()
        self._aws = Aws(self._settings.aws_region)
        self._fleet = Fleet(variables, directory)
        self._kills: list[Kill] = []
        self._rng = random.Random(options.seed)
        self._first_count: float | None = None
        self._unfinished: list[str] = []

    def run(self) -> Report:
        options, settings = self._options, self._settings
        with self._view.step("stream and tables", self._screen):
            provision(self._aws, settings, options.shards, lambda _: None)
        identity = str(verify_stream(self._aws, settings.events_stream))
        truth = Truth(options.idle_timeout, options.lateness, settings.max_silence_seconds)
        traffic = Traffic(
            self._kinesis(), settings.events_stream, self._world(), truth, rate=options.rate, seconds=options.seconds
        )
        database = self._aws.dynamodb
        observer = Observer(
            PlayerTable(database, settings.player_table),
            CountTables(
                database, settings.level_table, settings.transitions_table, settings.transitions_retention_seconds
            ),
            ProgressTable(database, settings.progress_table),
            identity,
            fleet=self._fleet,
        )
        try:
            return self._report(truth, traffic, observer)
        finally:
            self._fleet.kill_all()

    def _report(self, truth: Truth, traffic: Traffic, observer: Observer) -> Report:
        self._fleet.start(*SERVICES)
        began = time.monotonic()
        traffic.start()
        self._follow(traffic, observer, began)
        ended = time.monotonic()
        self._view.phase, self._view.busiest = "draining (Ctrl-C ends it at once)", self._view.shown
        traffic.stop()
        self._until("read", lambda: sum(observer.tallies().values()) >= truth.total, traffic, observer)
        patience_ms = self._settings.idle_timeout_ms + self._settings.allowed_lateness_ms
        if truth.newest is not None:
            self._until("pruned", lambda: observer.is_pruned(patience_ms), traffic, observer)
        codes = {"pruner": self._fleet.drain("pruner")}
        self._until("counted", observer.is_counted, traffic, observer)
        with ThreadPoolExecutor() as pool:
            both = ("consumer", "level_aggregator")
            codes |= dict(zip(both, pool.map(self._fleet.drain, both), strict=True))
        codes |= {one.name: self._fleet.drain(one.name) for one in self._fleet.services() if one.name == MAP}
        observer.look()
        left_over = self._fleet.left_over()
        stable = self._options.stable_keys and not self._options.kill
        return make_report(
            truth,
            traffic,
            observer,
            pass_seconds=self._options.pass_seconds if stable else None,
            first_count_seconds=self._first_count,
            kills=self._kills,
            traffic_began=began,
            traffic_ended=ended,
            exit_codes=codes,
            left_over=left_over,
            unfinished=self._unfinished,
        )

    def _follow(self, traffic: Traffic, observer: Observer, began: float) -> None:
        """Show what happens while traffic runs; restart what dies; kill if asked to."""
        next_kill = KILL_EVERY_SECONDS
        while traffic.running and not self._stop.is_asked():
            elapsed = time.monotonic() - began
            if self._options.kill and elapsed >= next_kill and self._first_count is not None:
                next_kill = elapsed + KILL_EVERY_SECONDS
                if killed := self._fleet.kill_one(self._rng):
                    self._kills.append(Kill(f"{killed[0]} ({killed[1]})", elapsed))
            self._fleet.restart_dead()
            self._look(traffic, observer)
            if self._first_count is None and elapsed > FIRST_COUNT_SECONDS:
                tails = "\n".join(f"{name}: {self._fleet.log_tail(name)}" for name in ("consumer", "level_aggregator"))
                raise DemoError(f"no count after {FIRST_COUNT_SECONDS:.0f} s. The services' last words:\n{tails}")
            self._stop.wait(LOOK_SECONDS)

    def _until(self, what: str, done: Callable[[], bool], traffic: Traffic, observer: Observer) -> None:
        """Look on until ``done`` holds several times in a row, or all is not ``what`` in time."""
        deadline, held = time.monotonic() + DRAIN_SECONDS, 0
        while held < _DRAINED_LOOKS and time.monotonic() < deadline:
            self._fleet.restart_dead()
            self._look(traffic, observer)
            held = held + 1 if done() else 0
            time.sleep(LOOK_SECONDS)
        if held < _DRAINED_LOOKS:
            self._unfinished.append(f"after {DRAIN_SECONDS:.0f} s not everything was {what}")

    def _look(self, traffic: Traffic, observer: Observer) -> None:
        observer.look()
        if self._first_count is None and any(row.players for row in observer.levels.values()):
            self._first_count = self._view.elapsed()
            self._fleet.start(MAP)  # until now there was nothing to see, and two cores had enough to do
            if traffic.running:
                self._view.phase = "counting"
        self._view.show(self._screen, traffic, observer, self._fleet, len(self._kills))

    def _world(self) -> World:
        options = self._options
        return World(
            options.players,
            options.levels,
            options.seed,
            options.idle_timeout,
            allowed_lateness_seconds=options.lateness,
            stable_keys=options.stable_keys,
            disorder=0 if options.stable_keys else 0.02,
        )

    def _kinesis(self) -> KinesisClient:
        # Its own retries would hide lost answers from the truth.
        config = Config(retries={"total_max_attempts": 1}, read_timeout=5, connect_timeout=2)
        return boto3.client("kinesis", region_name=self._aws.region_name, config=config)
