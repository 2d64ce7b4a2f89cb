"""The level aggregator: from PlayerState's stream to the counts."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from . import kcl
from .parts import PanelBuilder, Query, lines, or_zero, page, quantiles, rate

JOB = "level_aggregator"


def dashboard() -> Dashboard:
    """The level aggregator's page."""
    counting = [
        lines(
            "Stream records by kind",
            "Records a second of PlayerState's stream. replayed ones were counted before: some after a restart.",
            "cps",
            [
                Query(
                    rate("headcount_aggregator_changes_total", "kind"),
                    "{{kind}}",
                    ("transition", "renewal", "replayed"),
                )
            ],
            stack=True,
        ),
        lines(
            "Transactions by result",
            "A second. rejected: another writer had moved the progress. conflict: a level is hot.",
            "ops",
            [
                Query(
                    rate("headcount_aggregator_transactions_total", "result"),
                    "{{result}}",
                    ("applied", "rejected", "conflict", "throttled", "failed"),
                )
            ],
        ),
        lines(
            "From event to count",
            "From the time of an event that brings a player into a level to that move being counted.",
            "s",
            quantiles("headcount_aggregator_lag_seconds", JOB),
        ),
    ]
    progress = [kcl.behind(JOB), _pause(), kcl.checkpoint_age(JOB)]
    work = [
        lines(
            "Time of one transaction",
            "One transaction of counts, moves and progress, with what botocore tries again.",
            "s",
            quantiles("headcount_aggregator_transaction_duration_seconds", JOB),
        ),
        kcl.batches(JOB),
        kcl.not_well(JOB),
    ]
    counts = [
        kcl.workers(JOB),
        lines(
            "Levels",
            "Levels with players, and levels whose count is negative: there must be none.",
            "none",
            [Query("max(headcount_levels)", "with players"), Query("max(headcount_negative_levels)", "negative")],
        ),
        lines(
            "Audits",
            "Live audits of the last hour by result, and the differences that the last one found. none: no audit yet.",
            "none",
            [
                Query(
                    or_zero("sum by (result) (increase(headcount_audits_total[1h]))", "result"),
                    "{{result}}",
                    ("exact", "different", "failed", "none"),
                ),
                Query(or_zero("max(headcount_audit_differences)"), "differences"),
            ],
        ),
    ]
    return page(
        "level aggregator",
        "Turns each change of PlayerState into counts and moves, exactly once.",
        (6, counting),
        (6, progress),
        (6, work),
        (6, counts),
    )


def _pause() -> PanelBuilder:
    return lines(
        "Pause before the next transaction, by shard",
        "Doubled by each conflict or throttling, up to 1 s; halved by each transaction that goes through.",
        "s",
        [Query("max by (shard) (headcount_aggregator_pause_seconds)", "{{shard}}")],
    )
