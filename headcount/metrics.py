"""Every metric, declared once. A process makes the group that it feeds; a test fails when one is undocumented.

A supervisor serves its own group and, read from files, those of its children, one process per shard
(prometheus-client's multiprocess mode, which a process is in when ``PROMETHEUS_MULTIPROC_DIR`` was set before its
start): a dead child's gauges vanish, its counters stay.
"""

import os
import re
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LIVE_GAUGE = re.compile(r"gauge_live\w*_(\d+)\.db")


class ShardMetrics:
    """What a record processor of any service feeds, per shard."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = CollectorRegistry() if registry is None else registry
        self.batches = Counter("headcount_batches", "Batches handled, empty ones included.", ["shard"], registry=r)
        self.batch_records = Counter("headcount_batch_records", "Records received, replays too.", ["shard"], registry=r)
        self.batch_seconds = Histogram(
            "headcount_batch_duration_seconds", "Time to handle one batch.", registry=r, buckets=_SECONDS
        )
        self.last_batch = Gauge(
            "headcount_last_batch_timestamp_seconds",
            "When the shard's last batch was finished.",
            ["shard"],
            registry=r,
            multiprocess_mode="livemostrecent",
        )
        self.behind = Gauge(
            "headcount_behind_latest_seconds",
            "How far the shard's reader is behind the stream's tip.",
            ["shard"],
            registry=r,
            multiprocess_mode="livemostrecent",
        )
        self.checkpoints = Counter("headcount_checkpoints", "Checkpoints made.", ["shard"], registry=r)


class ConsumerMetrics:
    """What the consumer's record processors feed."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = CollectorRegistry() if registry is None else registry
        self.records = Counter(
            "headcount_consumer_records", "Records by outcome; a replay counts again.", ["outcome"], registry=r
        )
        self.ignored = Counter("headcount_consumer_ignored", "Ignored events by reason.", ["reason"], registry=r)
        self.dead_letters = Counter(
            "headcount_consumer_dead_letters", "Records that can't be read, by reason.", ["reason"], registry=r
        )
        self.clamped = Counter("headcount_consumer_clamped", "Events stamped later than they arrived.", registry=r)
        self.writes = Counter(
            "headcount_consumer_player_writes",
            "Writes of PlayerState by kind and result.",
            ["kind", "result"],
            registry=r,
        )
        self.held_back = Gauge(
            "headcount_consumer_held_back_renewals",
            "Renewals that wait to be written.",
            ["shard"],
            registry=r,
            multiprocess_mode="livemostrecent",
        )
        self.watermark = Gauge(
            "headcount_consumer_watermark_timestamp_seconds",
            "The shard's watermark (event time).",
            ["shard"],
            registry=r,
            multiprocess_mode="livemostrecent",
        )


class AggregatorMetrics:
    """What the level aggregator's record processors feed."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = CollectorRegistry() if registry is None else registry
        self.changes = Counter(
            "headcount_aggregator_changes",
            "Stream records by what they were: transition, renewal, replayed.",
            ["kind"],
            registry=r,
        )
        self.transactions = Counter(
            "headcount_aggregator_transactions",
            "Transactions by result: applied, rejected (another writer moved on), conflict, throttled, failed.",
            ["result"],
            registry=r,
        )
        self.lag = Histogram(
            "headcount_aggregator_lag_seconds",
            "From an event's time to its transition being counted.",
            registry=r,
            buckets=_SECONDS,
        )
        self.pause = Gauge(
            "headcount_aggregator_pause_seconds",
            "Pause before the shard's next transaction, doubled by each conflict.",
            ["shard"],
            registry=r,
            multiprocess_mode="livemostrecent",
        )


class PrunerMetrics:
    """What the pruner feeds."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = CollectorRegistry() if registry is None else registry
        self.passes = Counter("headcount_pruner_passes", "Passes by result.", ["result"], registry=r)
        self.pass_seconds = Histogram(
            "headcount_pruner_pass_duration_seconds", "Time of one pass.", registry=r, buckets=_SECONDS
        )
        self.pruned = Counter("headcount_pruner_pruned", "Players who left.", registry=r)
        self.returned = Counter("headcount_pruner_returned", "Players who came back as they were judged.", registry=r)
        self.cutoff = Gauge("headcount_pruner_cutoff_timestamp_seconds", "The cutoff (event time).", registry=r)
        self.held_back = Gauge(
            "headcount_pruner_held_back_shards", "Shards that pruning waits for, by reason.", ["reason"], registry=r
        )


class SupervisorMetrics:
    """What a supervisor of a KCL daemon feeds."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = CollectorRegistry() if registry is None else registry
        self.starts = Counter("headcount_daemon_starts", "Starts of the KCL daemon.", registry=r)
        self.exits = Counter("headcount_daemon_exits", "Its unasked-for ends, by exit code.", ["code"], registry=r)
        self.children = Gauge("headcount_shard_children", "Worker processes alive, one per shard.", registry=r)
        self.warnings = Gauge("headcount_warnings", "Warnings that /readyz shows.", registry=r)


class BuildMetrics:
    """Which build this is."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = CollectorRegistry() if registry is None else registry
        self.info = Gauge("headcount_build_info", "Always 1.", ["version", "service"], registry=r)

    def tell(self, service: str) -> None:
        """Set the version of the installed package."""
        self.info.labels(version=version("headcount"), service=service).set(1)


GROUPS = (ShardMetrics, ConsumerMetrics, AggregatorMetrics, PrunerMetrics, SupervisorMetrics, BuildMetrics)


def children_registry(directory: Path) -> CollectorRegistry:
    """What all children, the dead ones included, wrote into ``directory``; gauges only of those alive."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call] # it has no types
    return registry


def forget_dead_children(directory: Path, *, all_are_dead: bool = False) -> int:
    """Remove the gauges of children that are gone; returns how many live.

    ``all_are_dead`` is for children just killed. Where nobody buries orphans, as in a container whose first process
    this is, they have a process id for ever.
    """
    alive = set()
    for path in directory.glob("gauge_live*.db"):
        found = _LIVE_GAUGE.fullmatch(path.name)
        if found is None:
            continue
        pid = int(found[1])
        if not all_are_dead and _has_process(pid):
            alive.add(pid)
        else:
            multiprocess.mark_process_dead(pid, path=str(directory))  # type: ignore[no-untyped-call] # it has no types
    return len(alive)


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def exposition(*registries: CollectorRegistry) -> bytes:
    """The registries in Prometheus' text format, one after the other."""
    return b"".join(generate_latest(registry) for registry in registries)
