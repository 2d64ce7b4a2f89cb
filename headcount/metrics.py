"""Every metric of what Headcount computes, declared once, and `GROUPS`, which are all metrics.

A process makes the group that it feeds; a test fails when one is undocumented. A supervisor serves its own groups and,
read from files, those of its workers, one process per shard: see `headcount.multiprocess`.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge

from headcount.metric_kinds import Snapshot, of_shard, seconds
from headcount.process_metrics import AwsMetrics, BuildMetrics, ShardMetrics, SupervisorMetrics


class ConsumerMetrics:
    """What the consumer's record processors feed."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.records = Counter(
            "headcount_consumer_records", "Records by outcome; a replay counts again.", ["outcome"], registry=r
        )
        self.ignored = Counter("headcount_consumer_ignored", "Ignored events by reason.", ["reason"], registry=r)
        self.dead_letters = Counter(
            "headcount_consumer_dead_letters", "Records that can't be read, by reason.", ["reason"], registry=r
        )
        self.poison_stops = Counter(
            "headcount_consumer_poison_stops",
            "Times a worker stopped because too much can't be read, by the limit: run, percent.",
            ["shard", "limit"],
            registry=r,
        )
        self.clamped = Counter("headcount_consumer_clamped", "Events stamped later than they arrived.", registry=r)
        self.writes = Counter(
            "headcount_consumer_player_writes",
            "Writes of PlayerState by kind and result.",
            ["kind", "result"],
            registry=r,
        )
        self.write_seconds = seconds(
            "headcount_consumer_write_duration_seconds",
            "Time of one call that writes PlayerState, one write or a batch; retries included.",
            r,
        )
        self.unsettled = of_shard(
            "headcount_consumer_unsettled_records", "Records read that no checkpoint may cover yet.", r
        )
        self.held_back = of_shard("headcount_consumer_held_back_renewals", "Renewals that wait to be written.", r)
        self.watermark = of_shard(
            "headcount_consumer_watermark_timestamp_seconds", "The shard's watermark (event time).", r
        )


class AggregatorMetrics:
    """What the level aggregator's record processors feed."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
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
        self.transaction_seconds = seconds(
            "headcount_aggregator_transaction_duration_seconds", "Time of one transaction, retries included.", r
        )
        self.gaps = Counter(
            "headcount_aggregator_gaps",
            "Times a worker refused to start because changes may be lost to the counts.",
            registry=r,
        )
        self.lag = seconds(
            "headcount_aggregator_lag_seconds", "From an event's time to its transition being counted.", r
        )
        self.pause = of_shard(
            "headcount_aggregator_pause_seconds",
            "Pause before the shard's next transaction, doubled by each conflict.",
            r,
        )


class GapMetrics:
    """What the level aggregator's supervisor finds out about changes that the counts can never see."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.gap = Gauge(
            "headcount_aggregator_gap",
            "1 while nothing is counted because changes are lost to the counts, or a rebuild is unfinished; else 0.",
            registry=r,
        )


class LevelMetrics:
    """What the level aggregator's supervisor reads from LevelState."""

    PLAYERS, LEVELS = "headcount_players", "headcount_levels"
    NEGATIVE, READ_AT = "headcount_negative_levels", "headcount_level_state_timestamp_seconds"

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.state = Snapshot(
            {
                self.PLAYERS: ("Players in the fullest levels; all others are one. The sum is all players.", "level"),
                self.LEVELS: ("Levels with at least one player.", ""),
                self.NEGATIVE: ("Levels whose count is negative: must be 0.", ""),
                self.READ_AT: ("When LevelState was last read.", ""),
            },
            r,
        )


class AuditMetrics:
    """What the live audits in the level aggregator's supervisor feed."""

    DIFFERENCES, AT = "headcount_audit_differences", "headcount_audit_timestamp_seconds"

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.audits = Counter("headcount_audits", "Live audits by result.", ["result"], registry=r)
        for result in ("exact", "different", "failed"):
            self.audits.labels(result=result)
        self.last = Snapshot(
            {
                self.DIFFERENCES: ("Differences that the last live audit found.", ""),
                self.AT: ("When the last live audit ended.", ""),
            },
            r,
        )


class PrunerMetrics:
    """What the pruner feeds."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.passes = Counter("headcount_pruner_passes", "Passes by result.", ["result"], registry=r)
        self.pass_seconds = seconds("headcount_pruner_pass_duration_seconds", "Time of one pass.", r)
        self.pruned = Counter("headcount_pruner_pruned", "Players who left.", registry=r)
        self.returned = Counter("headcount_pruner_returned", "Players who came back as they were judged.", registry=r)
        self.complete_pass = Gauge(
            "headcount_pruner_complete_pass_timestamp_seconds",
            "When the last complete pass ended; at first, when the pruner began.",
            registry=r,
        )
        self.cutoff = Gauge("headcount_pruner_cutoff_timestamp_seconds", "The cutoff (event time).", registry=r)
        self.held_back = Gauge(
            "headcount_pruner_held_back_shards", "Shards that pruning waits for, by reason.", ["reason"], registry=r
        )


class MapMetrics:
    """What the game map feeds."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.looks = Counter("headcount_map_looks", "Looks at the tables by result.", ["result"], registry=r)
        for result in ("ok", "failed"):
            self.looks.labels(result=result)
        self.look_seconds = seconds("headcount_map_look_duration_seconds", "Time of one look at the tables.", r)
        self.lag = Gauge("headcount_map_lag_seconds", "How old the counts were when they were last read.", registry=r)
        self.snapshots = Counter(
            "headcount_map_snapshots", "Snapshots published to S3 by result.", ["result"], registry=r
        )
        for result in ("ok", "failed"):
            self.snapshots.labels(result=result)
        self.publishes = Gauge("headcount_map_publishes", "1 where it holds the lease of that.", ["what"], registry=r)
        self.streams = Gauge("headcount_map_streams", "Clients that are told changes as they come.", registry=r)
        self.history_periods = Counter(
            "headcount_map_history_periods",
            "Minutes of the history by what became of them: written, failed, lost, unseen.",
            ["result"],
            registry=r,
        )
        self.history_reads = Counter(
            "headcount_map_history_reads",
            "Reads of more than an hour of a level's history by result: ok, failed, refused.",
            ["result"],
            registry=r,
        )
        for result in ("written", "failed", "lost", "unseen"):
            self.history_periods.labels(result=result)
        for result in ("ok", "failed", "refused"):
            self.history_reads.labels(result=result)


GROUPS = (
    ShardMetrics,
    ConsumerMetrics,
    AggregatorMetrics,
    GapMetrics,
    LevelMetrics,
    AuditMetrics,
    PrunerMetrics,
    MapMetrics,
    SupervisorMetrics,
    AwsMetrics,
    BuildMetrics,
)
