"""Streams, tables, both services and the pruner in memory, and what a schedule does to them.

Everything that decides is production code: repositories, handlers, record processors, the pruner's pass. In memory are
DynamoDB's client, the streams, the KCL and the clock.
"""

from __future__ import annotations

import itertools
import random
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from consumer.poison_limit import NO_LIMIT, PoisonLimit
from headcount.kcl.processor import ShardProcessor
from headcount.quiet import BATCHES_ON_THEIR_WAY
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from headcount.tables.schema import schemas
from tests.fakes.clock import Clock
from tests.fakes.dynamodb import MemoryDynamoDb
from tests.fakes.lines import NOON
from tests.simulation.broken import hold
from tests.simulation.changes import assert_change
from tests.simulation.delivery import Around
from tests.simulation.faults import CHECKPOINT, Faults
from tests.simulation.kcl import Kcl
from tests.simulation.leases import CrashError
from tests.simulation.losses import Losses
from tests.simulation.records import IDENTITY, TABLE_IDENTITY, at_of, line_of, settings_of
from tests.simulation.schedule import CONSUMER, HASHES, Action, Config, Schedule, Sent
from tests.simulation.services import MUTE, Services
from tests.simulation.streams import MemoryKinesis, Stream
from tests.simulation.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.model import Position
    from tests.simulation.leases import Stopwatch

SKEW_MS = 5000  # rule 5, told here anew
NOTE_ROUNDS = 2 * (BATCHES_ON_THEIR_WAY + 3)  # in so many a note is taken and confirmed, whatever was fetched before


class World:
    """One run of a schedule; how it ends: `tests.simulation.ending`."""

    note_rounds = NOTE_ROUNDS

    def __init__(self, schedule: Schedule) -> None:
        random.seed(schedule.seed)  # the aggregator's jitter
        self.schedule, config = schedule, schedule.config
        self.settings = settings_of(config)
        self.clock = Clock(NOON / 1000)
        self.faults = Faults(self._do)
        self.events = Stream("shard", config.shards, self.clock)
        self.changes = Stream("stream", config.table_shards, self.clock)
        self.kinesis = MemoryKinesis(self.events)
        lags = itertools.cycle(config.lags)
        self.client = MemoryDynamoDb(
            self.faults.touch, partial(assert_change, self), config.page, self.clock, lambda: next(lags)
        )
        for schema in schemas(self.settings):
            self.client.create_table(**schema.creation())
            if schema.ttl:
                ttl = {"Enabled": True, "AttributeName": schema.ttl}
                self.client.update_time_to_live(schema.name, ttl)
        client: Any = self.client
        self.players = PlayerTable(client, self.settings.player_table)
        self.progress = ProgressTable(client, self.settings.progress_table)
        self.counts = CountTables(
            client,
            self.settings.level_table,
            self.settings.transitions_table,
            self.settings.transitions_retention_seconds,
        )
        self.poison_limit = PoisonLimit(self.settings.poison_run_limit)
        self.watching = Watching(self)
        self.losses = Losses(self)
        self.services = Services(self, IDENTITY)
        self.kcl = (
            self._kcl(self.events, self.services.consumer, f"consumer/{IDENTITY}", config),
            self._kcl(self.changes, self.services.aggregator, f"level_aggregator/{TABLE_IDENTITY}", config),
        )
        self.unsent = list(schedule.sent)
        self.is_expiring = False

    # --- What a schedule does -----------------------------------------------------------------------------------

    def run(self) -> None:
        """All of the schedule's actions."""
        for action in self.schedule.actions:
            if action.fault:
                self.faults.arm(action)
            self._do(action)
            self.watching.after_action()

    def _do(self, action: Action) -> None:
        kcl, number, amount = self.kcl[action.service], action.number, action.amount
        actions: dict[str, Callable[[], object]] = {
            "poll": lambda: kcl.poll(number, amount),
            "poll zombie": lambda: kcl.poll_zombie(number, amount),
            "round": lambda: self._rounds(1, amount, *self.kcl),
            "rounds": lambda: self._rounds(NOTE_ROUNDS, amount, self.kcl[CONSUMER]),
            "prune": lambda: self.prune(number),
            "cut short": lambda: self.prune(number, amount),
            "wait": lambda: self.wait(action.seconds),
            "steal": lambda: kcl.steal(number),
            "take over": lambda: kcl.take_over(number, amount),
            "tell": lambda: kcl.tell(number),
            "hold": lambda: kcl.hold(number, action.seconds),
            "kill": lambda: kcl.kill(number),
            "kill all": kcl.kill_all,
            "drain": lambda: kcl.drain(number),
            "meet the cutoff": lambda: self._meet_the_cutoff(number),
            "split": lambda: self.events.split(number),
            "merge": lambda: self.events.merge(number),
            "roll": lambda: self.changes.roll(number),
            "expire": self.kcl[CONSUMER].expire,
            "ttl": self.expire,
            "lose progress": lambda: self.losses.lose_progress(number),
            "day off": lambda: self.losses.day_off(number),
            "rebuild": lambda: self.losses.rebuild(number),
        }
        actions[action.what]()

    def _rounds(self, rounds: int, amount: int, *services: Kcl) -> None:
        """In many of them, time passes, so that a silence shows."""
        for turn in range(rounds):
            self.wait(min(turn, 1))
            for service in services:
                service.deliver_all(amount)

    def wait(self, seconds: float) -> None:
        """Let time pass; what arrives meanwhile is put onto the stream."""
        end = self.clock.now + seconds
        while self.unsent and NOON / 1000 + self.unsent[0].arrives <= end:
            sent = self.unsent.pop(0)
            self.clock.now = max(self.clock.now, NOON / 1000 + sent.arrives)
            self._put(sent)
        self.clock.now = max(self.clock.now, end)

    def prune(self, number: int, steps: float = float("inf")) -> None:
        """One pass of a pruner, which is asked to stop after so many ``steps``."""
        taken, is_stopped = 0, False

        def stopping() -> bool:
            nonlocal taken, is_stopped
            taken, is_stopped = taken + 1, taken >= steps
            return is_stopped

        try:
            with self.watching.pass_of_a_pruner():
                swept = self.services.sweep(number).run(stopping)
        except (CrashError, ClientError, BotoCoreError):
            return
        hold(not (swept.complete and is_stopped), "I3: a pass that was cut short says that it is complete")

    def lift_poison_limit(self) -> None:
        """A person starts the consumer with other settings."""
        self.poison_limit = NO_LIMIT
        self.kcl[CONSUMER].kill_all()

    def expire(self) -> None:
        """DynamoDB deletes the rows that have expired."""
        self.is_expiring = True
        self.client.expire()
        self.is_expiring = False

    def _put(self, sent: Sent) -> None:
        arrived_at = round(self.clock.now * 1000)
        shard, record = self.events.put(sent.key, line_of(sent), arrived_at, aggregated=sent.aggregated)
        self.watching.arrived(shard.shard_id, record, sent, min(at_of(sent), record.arrived_at + SKEW_MS))

    def _meet_the_cutoff(self, number: int) -> None:
        """An event comes that bears just the cutoff's time: it is the oldest that is not late."""
        cutoff, start = self.watching.cutoff, NOON / 1000
        if cutoff is not None:
            at, key = cutoff / 1000 - start, HASHES * number // 6
            self._put(Sent(self.clock.now - start, at, key, "level", "abyz"[number % 4], "K"))

    def _kcl(self, stream: Stream, make: Any, worker: str, config: Config) -> Kcl:
        def on_checkpoint(shard: str, position: Position | None) -> None:
            self.watching.checkpointed(f"{worker}/{shard}", position)

        is_guarded = stream is self.changes
        pushed = config.pushed and stream is self.events

        def new(stopwatch: Stopwatch) -> ShardProcessor:
            return ShardProcessor(make(), MUTE, self.wait, stopwatch, pushed=pushed)

        around = Around(
            touch=lambda moment: self.faults.touch(CHECKPOINT, "", moment),
            on_checkpoint=on_checkpoint,
            batch=self.watching.batch,
            may_run=self.losses.may_run if is_guarded else lambda: True,
            on_failure=self.losses.doubt if is_guarded else lambda: None,
            clock=self.clock,
        )
        return Kcl(stream, new, around, config.prefetch, pushed=pushed, tells_its_tip=stream is self.events)
