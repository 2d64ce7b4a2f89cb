"""The properties file of the KCL daemon (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SHUTDOWN_GRACE_SECONDS = 60

# Of one read. A batch is in the daemon's heap several times over, as records and as a worker's line of JSON, and so is
# the one behind it, for every shard: with the KCL's 10,000 of Kinesis four shards with a backlog exhausted 256 MB.
# At two reads a second 2,000 are still four times what a shard takes in.
MOST_RECORDS_OF_KINESIS, MOST_RECORDS_OF_A_TABLE = 2_000, 1_000


@dataclass(frozen=True)
class DaemonConfig:
    """What one KCL daemon shall do.

    ``stream``: a Kinesis stream's name or a DynamoDB stream's ARN; ``application``: the KCL application's name, which
    is the name of its lease table; ``command``: starts a worker process, no argument of it may hold white space;
    ``fan_out``: Kinesis pushes records, to a consumer of the stream that the KCL registers by the application's name.
    """

    stream: str
    application: str
    worker_id: str
    command: tuple[str, ...]
    region: str
    kinesis_endpoint: str
    dynamodb_endpoint: str
    initial_position: str
    failover_seconds: float
    poll_milliseconds: int
    stall_seconds: float
    fan_out: bool


def properties(config: DaemonConfig) -> dict[str, str]:
    """Keys and values of the properties file.

    Intervals follow the failover time, and the 2.x mode is asked for: see ``docs/adr/0001-kcl-mode-and-worker-ids.md``.
    """
    if any(part.split() != [part] for part in config.command):
        raise ValueError(f"The KCL splits a worker's command at white space: {config.command}")
    failover = round(config.failover_seconds * 1000)
    return {
        "applicationName": config.application,
        "streamName": config.stream,
        "workerId": config.worker_id,
        "executableName": " ".join(config.command),
        "processingLanguage": "python/3",
        "regionName": config.region,
        "kinesisEndpoint": config.kinesis_endpoint,
        "dynamoDBEndpoint": config.dynamodb_endpoint,
        "awsCredentialsProvider": "DefaultCredentialsProvider",
        "initialPositionInStream": config.initial_position,
        "clientVersionConfig": "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X",
        "retrievalMode": "FANOUT" if config.fan_out else "POLLING",
        "metricsLevel": "NONE",
        # The heartbeat: without it a child that dies idle goes unnoticed until the next record.
        "callProcessRecordsEvenForEmptyRecordList": "true",
        "maxRecords": str(MOST_RECORDS_OF_A_TABLE if config.stream.startswith("arn:") else MOST_RECORDS_OF_KINESIS),
        "idleTimeBetweenReadsInMillis": str(config.poll_milliseconds),
        "failoverTimeMillis": str(failover),
        "leaseAssignmentIntervalMillis": str(failover // 2),
        "parentShardPollIntervalMillis": str(max(500, failover // 5)),
        "schedulerInitializationBackoffTimeMillis": "100",
        "inMemoryWorkerMetricsCaptureFrequencyMillis": "100",
        "skipShardSyncAtWorkerInitializationIfLeasesExist": "true",
        "shutdownGraceMillis": str(SHUTDOWN_GRACE_SECONDS * 1000),
        "timeoutInSeconds": str(round(config.stall_seconds)),
    }


def as_file(values: Mapping[str, str]) -> str:
    """The values in Java's format."""
    return "".join(f"{key} = {_escaped(value)}\n" for key, value in values.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
