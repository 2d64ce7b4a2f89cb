"""Streams, tables, both services and the pruner in memory, and what a schedule does to them.

Everything that decides is production code: repositories, handlers, record processors, the pruner's pass. In memory are
DynamoDB's client, the streams, the KCL and the clock.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from consumer.quiet import BATCHES_ON_THEIR_WAY
from headcount.kcl.processor import ShardProcessor
from headcount.model import Position
from headcount.settings import Settings
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable
from headcount.tables.progress import CUTOFF, ProgressTable
from headcount.tables.schema import schemas
from tests.fakes.clock import Clock
from tests.fakes.dynamodb import BEFORE, MemoryDynamoDb
from tests.fakes.lines import NOON, event_line, other_line
from tests.simulation.faults import Faults
from tests.simulation.kcl import CrashError, Kcl
from tests.simulation.schedule import AGGREGATOR, CONSUMER, HASHES, Action, Config, Schedule, Sent
from tests.simulation.services import MUTE, Services
from tests.simulation.streams import MemoryKinesis, Stream
from tests.simulation.watching import IDENTITY, Watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.dynamodb import Key
    from tests.fakes.expressions import Item

SKEW_MS = 5000  # rule 5, told here anew
MOST_ROUNDS = 400  # in so many a calm run must come to rest
NOTE_ROUNDS = 2 * (BATCHES_ON_THEIR_WAY + 3)  # in so many a note is taken and confirmed, whatever was fetched before


class World:
    """One run of a schedule, up to `run` and `finish`."""

    def __init__(self, schedule: Schedule) -> None:
        random.seed(schedule.seed)  # the aggregator's jitter
        self.schedule, config = schedule, schedule.config
        self.settings = settings_of(config)
        self.clock = Clock(NOON / 1000)
        self.faults = Faults(self._do)
        self.events = Stream("shard", config.shards)
        self.changes = Stream("stream", config.table_shards)
        self.kinesis = MemoryKinesis(self.events)
        self.client = MemoryDynamoDb(self.faults.touch, self._on_change, config.page, self.clock)
        for schema in schemas(self.settings):
            self.client.create_table(**schema.creation())
        client: Any = self.client
        self.players = PlayerTable(client, self.settings.player_table)
        self.progress = ProgressTable(client, self.settings.progress_table)
        self.counts = CountTables(client, self.settings.level_table, self.settings.transitions_table, 3600)
        self.watching = Watching(self)
        self.services = Services(self, IDENTITY)
        self.kcl = (
            self._kcl(self.events, self.services.consumer, f"consumer/{IDENTITY}", config),
            self._kcl(self.changes, self.services.aggregator, "level_aggregator/PlayerState@1", config),
        )
        self._unsent = list(schedule.sent)

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
            "wait": lambda: self.wait(action.seconds),
            "steal": lambda: kcl.steal(number),
            "take over": lambda: kcl.take_over(number, amount),
            "tell": lambda: kcl.tell(number),
            "kill": lambda: kcl.kill(number),
            "kill all": kcl.kill_all,
            "drain": lambda: kcl.drain(number),
            "split": lambda: self.events.split(number),
            "merge": lambda: self.events.merge(number),
            "roll": lambda: self.changes.roll(number),
            "expire": self._expire,
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
        while self._unsent and NOON / 1000 + self._unsent[0].arrives <= end:
            sent = self._unsent.pop(0)
            self.clock.now = max(self.clock.now, NOON / 1000 + sent.arrives)
            self._put(sent)
        self.clock.now = max(self.clock.now, end)

    def prune(self, number: int) -> None:
        """One pass of a pruner."""
        try:
            self.services.sweep(number).run()
        except (CrashError, ClientError, BotoCoreError):
            return

    def _put(self, sent: Sent) -> None:
        arrived_at = round(self.clock.now * 1000)
        shard, record = self.events.put(sent.key, line_of(sent), arrived_at, aggregated=sent.aggregated)
        self.watching.arrived(shard.shard_id, record, sent, min(at_of(sent), record.arrived_at + SKEW_MS))

    def _expire(self) -> None:
        """Kinesis forgets a shard that was read to its end."""
        for lease in self.kcl[CONSUMER].leases.values():
            if lease.ended and lease.shard.shard_id not in self.kinesis.expired:
                self.kinesis.expired.add(lease.shard.shard_id)
                return

    # --- The end --------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """All records arrive and are read, by calm services; then one pass of the pruner, and its changes counted."""
        self.faults.disarm()
        if self._unsent:
            self.wait(NOON / 1000 + self._unsent[-1].arrives - self.clock.now + 1)
        for kcl in self.kcl:
            for _ in range(3):
                for number in range(3):
                    kcl.poll_zombie(number, 10)
            while any(lease.zombies for lease in kcl.leases.values()):
                kcl.tell(0)
        self.settle()

    def settle(self) -> None:
        """Read everything to its end, drain, prune, count."""
        self._read(CONSUMER)
        self.services.sweep(0).run()
        self._read(AGGREGATOR)

    def replay(self) -> None:
        """Read all that both streams hold once more, from TRIM_HORIZON: nothing may change."""
        before = {name: dict(self.client.tables[name].items) for name in ("PlayerState", "LevelState", "Transitions")}
        for kcl in self.kcl:
            kcl.begin_anew()
        self._read(CONSUMER)
        self._read(AGGREGATOR)
        for name, items in before.items():
            assert self.client.tables[name].items == items, f"rule 7: a replay changed {name}"

    def fall_silent(self) -> None:
        """Nothing arrives any more, for so long that everybody has left."""
        config = self.schedule.config
        longest = config.idle + config.lateness + config.silence + 2 * max(map(abs, config.skews))
        for _ in range(3):
            self.clock.now += longest
            for _ in range(NOTE_ROUNDS):
                self.clock.now += 1
                self.kcl[CONSUMER].deliver_all(50)
            self.services.sweep(0).run()
        self.settle()

    def _read(self, service: int) -> None:
        for _ in range(MOST_ROUNDS):
            self.kcl[service].deliver_all(50)
            if self.kcl[service].rests:
                self.kcl[service].drain_all()
                return
        raise AssertionError("the services do not come to rest")

    # --- What the tables tell ---------------------------------------------------------------------------------------

    def _on_change(self, table: str, key: Key, before: Item | None, after: Item | None) -> None:
        if table == self.settings.player_table:
            images = {"dynamodb": {"OldImage": before or {}, "NewImage": after or {}}}
            hashed = hash_of(key[0])
            self.changes.put(hashed, orjson.dumps(images), round(self.clock.now) * 1000)
            self.watching.changed(before, after)
        elif table == self.settings.progress_table:
            if key[0] == CUTOFF:
                self.watching.cutoff_moved(before, after)
            else:
                self.watching.progress_moved(key[0], before, after)

    def _kcl(self, stream: Stream, make: Any, worker: str, config: Config) -> Kcl:
        def on_checkpoint(shard: str, position: Position | None) -> None:
            self.watching.checkpointed(f"{worker}/{shard}", position)

        def new() -> ShardProcessor:
            return ShardProcessor(make(), MUTE)

        return Kcl(stream, new, lambda: self.faults.touch("checkpoint", "", BEFORE), on_checkpoint, config.prefetch)


def settings_of(config: Config) -> Settings:
    """The settings that a run's services see."""
    return Settings(
        idle_timeout_seconds=config.idle,
        allowed_lateness_seconds=config.lateness,
        max_silence_seconds=config.silence,
        refresh_seconds=config.refresh,
    )


def at_of(sent: Sent) -> int:
    """The time that an event bears, ms since the epoch."""
    return NOON + round(sent.at * 1000)


def line_of(sent: Sent) -> bytes:
    """The record's bytes."""
    match sent.kind:
        case "poison":
            return f"no event {sent.key}".encode()
        case "other":
            return other_line(at_of(sent))
        case _:
            return event_line(sent.player, sent.level, at_of(sent))


def hash_of(player: str) -> int:
    """Where a player's changes go."""
    return ord(player[0]) * 7919 % HASHES
