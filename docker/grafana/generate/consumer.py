"""The consumer: from the stream to PlayerState."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from . import kcl
from .parts import Query, lines, or_zero, page, quantiles, rate

JOB = "consumer"
# A counter first appears with the first stop, which increase() does not see.
_STOPS = (
    "sum by (shard, limit) ((increase(headcount_consumer_poison_stops_total[10m]) > 0) or "
    "(headcount_consumer_poison_stops_total unless headcount_consumer_poison_stops_total offset 10m))"
)
OUTCOMES = ("applied", "stale", "ignored", "late", "dead_lettered")


def dashboard() -> Dashboard:
    """The consumer's page."""
    events = [
        lines(
            "Records by outcome",
            "Settled records a second. applied and stale are level events; late ones came after their player had left.",
            "cps",
            [Query(rate("headcount_consumer_records_total", "outcome"), "{{outcome}}", OUTCOMES)],
            stack=True,
        ),
        lines(
            "Ignored events by reason",
            "Events a second that say nothing of a level. A share that jumps: a tracker or the schema changed.",
            "cps",
            [Query(or_zero(rate("headcount_consumer_ignored_total", "reason"), "reason"), "{{reason}}", ("none",))],
            stack=True,
        ),
        lines(
            "Dead letters and clamped events a minute",
            "Records that can't be read, by reason, and events stamped later than they arrived. Both should be 0.",
            "cpm",
            [
                Query(
                    or_zero(f"60 * {rate('headcount_consumer_dead_letters_total', 'reason')}", "reason", "no reason"),
                    "dead letters: {{reason}}",
                ),
                Query(or_zero(f"60 * {rate('headcount_consumer_clamped_total')}"), "clamped"),
            ],
        ),
        lines(
            "Stops for too much poison, by shard",
            "How often in ten minutes a worker stopped because more can't be read than the limits allow. Above 0 the "
            "shard stands still, and each stop interrupts all shards of its process.",
            "none",
            [Query(or_zero(_STOPS, "shard", "no shard"), "{{shard}} {{limit}}")],
        ),
    ]
    progress = [
        kcl.behind(JOB),
        lines(
            "Age of the watermark, by shard",
            "Until when, by the events' clock, everything of the shard is written. A refresh (60 s) is normal. Pruning "
            "goes by the oldest one.",
            "s",
            [Query("shard:headcount_consumer_watermark_age_seconds:min", "{{shard}}")],
        ),
        kcl.checkpoint_age(JOB),
    ]
    writes = [
        lines(
            "Writes of PlayerState",
            "A second, by kind (change of level, renewal) and result. stale ones cost and bring nothing.",
            "wps",
            [Query(rate("headcount_consumer_player_writes_total", "kind, result"), "{{kind}} {{result}}")],
            stack=True,
        ),
        lines(
            "Time of one call that writes",
            "One conditional write of PlayerState or a batch of up to 25, with what botocore tries again.",
            "s",
            quantiles("headcount_consumer_write_duration_seconds", JOB),
        ),
        lines(
            "What waits, by shard",
            "Renewals that are held back (about one per active player), and records that no checkpoint covers yet. "
            "Beyond 50,000 records renewals are written early.",
            "none",
            [
                Query("max by (shard) (headcount_consumer_held_back_renewals)", "renewals {{shard}}"),
                Query("max by (shard) (headcount_consumer_unsettled_records)", "records {{shard}}"),
            ],
        ),
    ]
    machine = [kcl.batches(JOB), kcl.not_well(JOB), kcl.workers(JOB)]
    return page(
        "consumer",
        "Reads the events, keeps one row per player, and knows how far it has come.",
        (6, events),
        (6, progress),
        (6, writes),
        (6, machine),
    )
