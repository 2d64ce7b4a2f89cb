"""What the tutorial's design uses, a month: a write per event, an update per count, Lambda on the stream (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount.cost import parts
from headcount.cost.bill import Service, each_second

if TYPE_CHECKING:
    from headcount.cost.bill import Line
    from headcount.cost.load import Load, Pace

CHECKPOINT_SECONDS = 60.0  # of a shard, as the KCL's sample has it
LAMBDA_RECORDS, LAMBDA_POLLS = 100, 4  # of a batch at most; of a shard, a second
LAMBDA_GIGABYTES = 0.128
INVOCATION_SECONDS, UPDATE_SECONDS = 0.01, 0.005
INVOCATION_LOG = 350  # bytes: START, END, REPORT


def lines(load: Load, pace: Pace, choices: parts.Choices) -> list[Line]:
    """All that is paid for."""
    shards, tasks = load.kinesis_shards, parts.consumers(load)
    records = load.level_events + load.entries
    # From a level and into another; only into one; only out of one. Each is a transition, too.
    level_updates = 2 * load.moves + 2 * load.entries
    transition_updates = load.moves + 2 * load.entries
    by_shard = records / load.stream_shards
    invocations = load.stream_shards * max(by_shard / LAMBDA_RECORDS, min(by_shard, LAMBDA_POLLS))
    time = invocations * INVOCATION_SECONDS + (level_updates + transition_updates) * UPDATE_SECONDS
    kind = "x86" if choices.x86 else "arm"
    passes = max(parts.SCAN_SEGMENTS, parts.scan(load.players, parts.PLAYER_ROW))
    return [
        parts.writes("PlayerState", load.level_events + load.entries),
        parts.writes("LevelState", level_updates),
        parts.writes("Transitions", transition_updates),
        parts.writes("KCL", parts.lease_renewals(shards, pace) + shards / CHECKPOINT_SECONDS),
        parts.reads("pruner's passes", passes / pace.prune),
        parts.reads("leases, looks at the counts and for gaps", parts.lease_scans(shards, tasks, pace)),
        *parts.storage(load, pace),
        *parts.kinesis(load, choices),
        *parts.tasks("consumer", tasks, parts.CONSUMER, choices),
        *parts.tasks("pruner", parts.PRUNERS, parts.PRUNER, choices),
        each_second(Service.LAMBDA, "level_aggregator", "lambda_request", invocations),
        each_second(Service.LAMBDA, "level_aggregator", f"lambda_{kind}_time", time * LAMBDA_GIGABYTES),
        *parts.logs(invocations * INVOCATION_LOG / parts.GIGABYTE),
    ]
