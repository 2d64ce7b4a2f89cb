"""What both designs pay for alike: stream, tasks, rows, the KCL's leases (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from headcount.cost.bill import HOURS, Line, Service, each_second
from headcount.cost.load import Load, Pace
from headcount.cost.netting import Traffic, distinct

PUT_KILOBYTES = 25
READ_BYTES = 4096  # of one read request unit, read consistently
SCAN_SEGMENTS = 8  # of the pruner's scan: each costs a unit at least
ROW_OVERHEAD = 100  # bytes that DynamoDB stores on top of each row
LEVEL_ROW, PLAYER_ROW, TRANSITION_ROW, PROGRESS_ROW, LEASE_ROW = 60, 75, 165, 500, 400  # bytes
HISTORY_ROW = 75
GIGABYTE = 1e9

RENEWALS_PER_FAILOVER = 3  # of each lease, by the KCL
LEASE_SCANS_PER_FAILOVER = 0.5  # of each process, by the KCL's lease taker
PROGRESS_ROWS_OF_A_STREAM_SHARD = 12  # a shard lasts four hours, its row two days
LEASES_OF_A_STREAM_SHARD = 7  # a shard of a table's stream lasts four hours, its lease for a day


@dataclass(frozen=True)
class TaskSize:
    """As deploy/terraform has it."""

    vcpu: float
    gigabytes: float


CONSUMER, LEVEL_AGGREGATOR, PRUNER = TaskSize(0.5, 2), TaskSize(0.5, 1), TaskSize(0.25, 0.5)
GAME_MAP = TaskSize(0.25, 0.5)
LEAST_CONSUMERS, LEVEL_AGGREGATORS, PRUNERS = 2, 2, 1
EVENTS_OF_A_CONSUMER = 1000  # a second and task: one full shard


@dataclass(frozen=True)
class Choices:
    """What is paid for by choice."""

    x86: bool = False
    fan_out: bool = False
    game_map: bool = False


def consumers(load: Load) -> int:
    """Tasks: never more than shards, for the others would have none."""
    wanted = max(LEAST_CONSUMERS, math.ceil(load.events_per_second / EVENTS_OF_A_CONSUMER))
    return min(load.kinesis_shards, wanted)


def kinesis(load: Load, choices: Choices) -> list[Line]:
    """The events' stream."""
    service, shards = Service.KINESIS, load.kinesis_shards
    puts = load.events_per_second * math.ceil(load.event_kilobytes / PUT_KILOBYTES)
    lines = [
        Line(service, "shards", "kinesis_shard", shards * HOURS),
        each_second(service, "records put", "kinesis_put", puts),
    ]
    if choices.fan_out:
        gigabytes = load.events_per_second * load.event_kilobytes / 1e6
        lines.append(Line(service, "enhanced fan-out", "kinesis_fan_out", shards * HOURS))
        lines.append(each_second(service, "enhanced fan-out", "kinesis_fan_out_data", gigabytes))
    return lines


def tasks(what: str, count: int, size: TaskSize, choices: Choices) -> list[Line]:
    """So many tasks of Fargate, all month."""
    kind = "x86" if choices.x86 else "arm"
    return [
        Line(Service.FARGATE, what, f"fargate_{kind}_vcpu", count * size.vcpu * HOURS),
        Line(Service.FARGATE, what, f"fargate_{kind}_memory", count * size.gigabytes * HOURS),
    ]


def writes(table: str, units: float) -> Line:
    """Write request units of a table, a second."""
    return each_second(Service.DYNAMODB, f"writes: {table}", "dynamodb_write", units)


def reads(what: str, units: float) -> Line:
    """Read request units, a second."""
    return each_second(Service.DYNAMODB, f"reads: {what}", "dynamodb_read", units)


def scan(rows: float, size: int, segments: int = 1) -> float:
    """Read request units of a consistent scan."""
    return max(segments, rows * size / READ_BYTES)


def progress_scan(load: Load) -> float:
    """Read request units of a scan of StreamProgress."""
    return scan(load.kinesis_shards + load.stream_shards * PROGRESS_ROWS_OF_A_STREAM_SHARD, PROGRESS_ROW)


def lease_renewals(leases: float, pace: Pace) -> float:
    """Write request units a second."""
    return leases * RENEWALS_PER_FAILOVER / pace.failover


def lease_scans(leases: float, processes: int, pace: Pace) -> float:
    """Read request units a second, of the KCL; it does not read consistently."""
    return processes * LEASE_SCANS_PER_FAILOVER / pace.failover * scan(leases, LEASE_ROW) / 2


def transitions_kept(load: Load, pace: Pace) -> float:
    """Rows of Transitions: of each minute, the different moves made in it."""
    return distinct(Traffic.of(load).transitions, 60) * pace.transitions_kept / 60


def storage(load: Load, pace: Pace) -> list[Line]:
    """Rows kept, and their backups."""
    bytes_kept = (
        load.players * (PLAYER_ROW + ROW_OVERHEAD)
        + load.levels * (LEVEL_ROW + ROW_OVERHEAD)
        + transitions_kept(load, pace) * (TRANSITION_ROW + ROW_OVERHEAD)
    )
    kept = bytes_kept / GIGABYTE
    return [
        Line(Service.DYNAMODB, "storage and recovery", price, kept)
        for price in ("dynamodb_storage", "dynamodb_recovery")
    ]


def logs(gigabytes_a_second: float) -> list[Line]:
    """Log lines, kept for a month."""
    taken = each_second(Service.CLOUDWATCH, "logs", "logs_taken", gigabytes_a_second)
    return [taken, Line(Service.CLOUDWATCH, "logs", "logs_kept", taken.amount)]
