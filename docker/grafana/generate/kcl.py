"""Panels that both KCL services have: reading, checkpoints, workers, AWS calls."""

from .parts import PanelBuilder, Query, lines, or_zero, quantiles, rate


def behind(job: str) -> PanelBuilder:
    """How far each shard's reader is from the tip."""
    return lines(
        "Behind the tip, by shard",
        "How far each shard's reader is behind the newest record. 0 is the tip. On a DynamoDB stream without new "
        "records the last reading stands.",
        "s",
        [Query(f'max by (shard) (headcount_behind_latest_seconds{{job="{job}"}})', "{{shard}}")],
    )


def checkpoint_age(job: str) -> PanelBuilder:
    """Age of each shard's last checkpoint."""
    return lines(
        "Age of the last checkpoint, by shard",
        "What a crash would replay. With traffic it stays below a refresh (60 s); without, it grows and means nothing.",
        "s",
        [Query(f'job_shard:headcount_checkpoint_age_seconds:min{{job="{job}"}}', "{{shard}}")],
    )


def batches(job: str) -> PanelBuilder:
    """How long batches take."""
    return lines(
        "Time of one batch",
        "From a batch's delivery to its effects being durable; empty batches are in it.",
        "s",
        quantiles("headcount_batch_duration_seconds", job),
    )


def workers(job: str) -> PanelBuilder:
    """Workers alive and leases by state."""
    chosen = f'{{job="{job}"}}'
    return lines(
        "Workers and leases",
        "Each open shard needs one worker. mine: leases held, over all processes; stalled: nobody renews them.",
        "none",
        [
            Query(f"sum(headcount_shard_children{chosen})", "workers"),
            Query(f'sum(headcount_leases{{job="{job}", state="mine"}})', "mine"),
            Query(f'max(headcount_leases{{job="{job}", state="stalled"}})', "stalled"),
        ],
    )


def not_well(job: str) -> PanelBuilder:
    """AWS calls that did not go through."""
    failed = rate("headcount_aws_attempts_total", "operation, result", f'{{job="{job}", result!="ok"}}')
    return lines(
        "AWS calls that were not ok",
        "By operation and result. refused is mostly a failed condition, which is normal; throttled is tried again.",
        "reqps",
        [Query(or_zero(failed, "operation"), "{{operation}} {{result}}")],
    )
