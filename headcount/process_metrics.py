"""Metrics of the processes themselves, whatever they compute: shards read, daemons, calls of AWS, the build.

Those of what is computed are in `headcount.metrics`, which also lists all groups.
"""

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge

from headcount.metric_kinds import of_shard, seconds


class ShardMetrics:
    """What a record processor of any service feeds, per shard."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.batches = Counter("headcount_batches", "Batches handled, empty ones included.", ["shard"], registry=r)
        self.batch_records = Counter("headcount_batch_records", "Records received, replays too.", ["shard"], registry=r)
        self.batch_seconds = seconds("headcount_batch_duration_seconds", "Time to handle one batch.", r)
        self.last_batch = of_shard(
            "headcount_last_batch_timestamp_seconds", "When the shard's last batch was finished.", r
        )
        self.behind = of_shard(
            "headcount_behind_latest_seconds", "How far behind the stream's tip the shard is read, or handled.", r
        )
        self.checkpoints = Counter("headcount_checkpoints", "Checkpoints made.", ["shard"], registry=r)
        self.last_checkpoint = of_shard(
            "headcount_last_checkpoint_timestamp_seconds",
            "When the shard's last checkpoint was made; at first, when its worker began.",
            r,
        )


class SupervisorMetrics:
    """What a supervisor of a KCL daemon feeds."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.starts = Counter("headcount_daemon_starts", "Starts of the KCL daemon.", registry=r)
        self.exits = Counter("headcount_daemon_exits", "Its unasked-for ends, by exit code.", ["code"], registry=r)
        self.children = Gauge("headcount_shard_children", "Worker processes alive, one per shard.", registry=r)
        self.warnings = Gauge("headcount_warnings", "Warnings of the service that /readyz shows.", registry=r)
        self.leases = Gauge(
            "headcount_leases", "Leases of shards that have not ended, by state.", ["state"], registry=r
        )
        self.heartbeat = Gauge(
            "headcount_daemon_heartbeat_timestamp_seconds",
            "The daemon's last sign of life; at first, when it was started.",
            registry=r,
        )


class AwsMetrics:
    """What every client of AWS in Python feeds; the KCL's own calls are not among them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = r = registry or CollectorRegistry()
        self.attempts = Counter(
            "headcount_aws_attempts",
            "Attempts at AWS calls by result: ok, throttled, refused, failed.",
            ["service", "operation", "result"],
            registry=r,
        )
        self.retries = Counter(
            "headcount_aws_retries", "Attempts beyond the first.", ["service", "operation"], registry=r
        )
        self.write_units = Counter(
            "headcount_dynamodb_write_units",
            "Write units that DynamoDB bills, failed conditions too.",
            ["table"],
            registry=r,
        )
        self.read_units = Counter(
            "headcount_dynamodb_read_units", "Read units that DynamoDB bills.", ["table"], registry=r
        )


class BuildMetrics:
    """Which build this is."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        r = registry or CollectorRegistry()
        self.info = Gauge("headcount_build_info", "Always 1.", ["version", "service"], registry=r)

    def tell(self, service: str) -> None:
        """Set the version of the installed package."""
        self.info.labels(version=version("headcount"), service=service).set(1)
