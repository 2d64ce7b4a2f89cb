"""What Headcount uses, a month; docs/cost.md has the formulae in words (pure)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from headcount.cost import parts
from headcount.cost.bill import Service, each_second
from headcount.cost.game_map import game_map
from headcount.cost.netting import Traffic, batches
from headcount.cost.writes import player_writes

if TYPE_CHECKING:
    from headcount.cost.bill import Line
    from headcount.cost.load import Load, Pace
    from headcount.cost.netting import Batches

SETTLE_SECONDS = 2.0  # between two moves of a shard's progress: consumer/handler.py, level_aggregator/handler.py
EMPTY_BATCHES = 7  # in a row, for a shard to be seen as silent: level_aggregator/handler.py
PRUNER_WRITES, PRUNER_READS = 4, 2  # of the row pruner/cutoff, a pass
LEASE_WATCHES_PER_FAILOVER = 2  # of each supervisor: headcount/kcl/lease_watch.py
GAP_LOOK_SECONDS = 30.0  # level_aggregator/gap_watch.py
LEVEL_LOOK_SECONDS = 10.0  # level_aggregator/level_watch.py
SUMS_AFTER_SECONDS = 86_400.0  # of a live audit with those of Transitions: level_aggregator/level_watch.py
LOG_LINE = 350  # bytes
TRANSACTION = 2  # write units of an item in a transaction


def lines(load: Load, pace: Pace, choices: parts.Choices) -> list[Line]:
    """All that is paid for."""
    written = player_writes(load, pace.refresh)
    share = 1 / load.stream_shards
    records = (load.level_events * written.total + load.entries) * share
    read = batches(Traffic.of(load, share), records, pace.poll)
    events = load.events_per_second / load.kinesis_shards
    event_batches = _any(events * pace.poll) / pace.poll * load.kinesis_shards
    log_lines = event_batches + read.reads * read.with_records * load.stream_shards + 1 / pace.prune
    return [
        *_writes(load, pace, read, records),
        *_reads(load, pace, read),
        *parts.storage(load, pace),
        *parts.kinesis(load, choices),
        *parts.tasks("consumer", parts.consumers(load), parts.CONSUMER, choices),
        *parts.tasks("level_aggregator", parts.LEVEL_AGGREGATORS, parts.LEVEL_AGGREGATOR, choices),
        *parts.tasks("pruner", parts.PRUNERS, parts.PRUNER, choices),
        *parts.logs(log_lines * LOG_LINE / parts.GIGABYTE),
        *(game_map(load, pace, choices) if choices.game_map else []),
    ]


def _writes(load: Load, pace: Pace, read: Batches, records: float) -> list[Line]:
    shards, streams = load.kinesis_shards, load.stream_shards
    settle = min(SETTLE_SECONDS, pace.refresh / 6)
    checkpoints = shards * _any(load.events_per_second / shards * settle) / settle
    stream_checkpoints = streams * _any(records * SETTLE_SECONDS) / SETTLE_SECONDS
    # The progress moves with each transaction; where a batch changed no count, by itself.
    idle = 1 - read.transactions / (read.reads * read.with_records) if read.with_records else 0
    # And where a shard is seen to be silent, by so many empty batches in a row.
    silences = streams * read.reads / EMPTY_BATCHES * (1 - read.with_records) ** EMPTY_BATCHES
    progress = shards / settle + stream_checkpoints * max(0, idle) + silences + PRUNER_WRITES / pace.prune
    written = player_writes(load, pace.refresh)
    return [
        parts.writes("PlayerState", load.level_events * written.total + load.entries),
        parts.writes("LevelState", streams * TRANSACTION * read.level_items),
        parts.writes("Transitions", streams * TRANSACTION * read.transition_items),
        parts.writes("StreamProgress", progress + streams * TRANSACTION * read.transactions),
        parts.writes("KCL", parts.lease_renewals(shards + streams, pace) + checkpoints + stream_checkpoints),
    ]


def _reads(load: Load, pace: Pace, read: Batches) -> list[Line]:
    shards, streams, aggregators = load.kinesis_shards, load.stream_shards, parts.LEVEL_AGGREGATORS
    leases = streams * parts.LEASES_OF_A_STREAM_SHARD
    watches = LEASE_WATCHES_PER_FAILOVER / pace.failover
    players = parts.scan(load.players, parts.PLAYER_ROW)
    levels = parts.scan(load.levels, parts.LEVEL_ROW)
    progress = parts.progress_scan(load)
    transitions = parts.scan(parts.transitions_kept(load, pace), parts.TRANSITION_ROW)
    tasks = parts.consumers(load)
    kcl = (
        watches * (tasks * parts.scan(shards, parts.LEASE_ROW) + aggregators * parts.scan(leases, parts.LEASE_ROW))
        + parts.lease_scans(shards, tasks, pace)
        + parts.lease_scans(leases, aggregators, pace)
    )
    looks = aggregators * (
        levels / LEVEL_LOOK_SECONDS + (1 + parts.scan(leases, parts.LEASE_ROW) + progress) / GAP_LOOK_SECONDS
    )
    sums = transitions / max(pace.audit, SUMS_AFTER_SECONDS)
    audits = aggregators * ((players + levels) / pace.audit + sums) if pace.audit else 0
    passes = PRUNER_READS + progress + max(parts.SCAN_SEGMENTS, players)
    return [
        parts.reads("cutoff, by each batch", shards / pace.poll),
        parts.reads("pruner's passes", passes / pace.prune),
        parts.reads("live audits", audits),
        parts.reads("leases, looks at the counts and for gaps", kcl + looks),
        each_second(Service.DYNAMODB, "reads: PlayerState's stream", "dynamodb_stream_read", streams * read.reads),
    ]


def _any(expected: float) -> float:
    """Chance that there is one at least, where so many are expected at random moments."""
    return -math.expm1(-expected)
