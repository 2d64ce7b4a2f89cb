"""The pruner: who has fallen silent leaves."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from .colours import BLUE, GREEN, ORANGE, RED, YELLOW
from .parts import Query, lines, number, or_zero, page, quantiles, rate

_WINDOW = "5m"  # a pass comes every 30 s: the usual window may hold none
_CUTOFF_AGE = "time() - max(headcount_pruner_cutoff_timestamp_seconds > 0)"
_HELD_BACK = "max by (reason) (headcount_pruner_held_back_shards)"


def dashboard() -> Dashboard:
    """The pruner's page."""
    figures = [
        number(
            "Age of the cutoff",
            "Who was last seen before the cutoff has left. Normal: idle timeout + lateness + a refresh, 310 to 400 s.",
            "s",
            _CUTOFF_AGE,
            thresholds=[(None, GREEN), (480, YELLOW), (900, RED)],
        ),
        number(
            "Since the last complete pass",
            "A pass begins every 30 s.",
            "s",
            "time() - max(headcount_pruner_complete_pass_timestamp_seconds)",
            thresholds=[(None, GREEN), (90, YELLOW), (300, RED)],
        ),
        number(
            "Players who left, a minute",
            "Rows that were deleted, over five minutes.",
            "cpm",
            f"60 * sum(rate(headcount_pruner_pruned_total[{_WINDOW}]))",
            thresholds=[(None, BLUE)],
            decimals=1,
        ),
        number(
            "Shards that pruning waits for",
            "Shards that keep the cutoff back, for whatever reason.",
            "none",
            or_zero(f"sum({_HELD_BACK})"),
            thresholds=[(None, GREEN), (1, ORANGE)],
        ),
    ]
    waiting = [
        lines(
            "Age of the cutoff over time",
            "It falls back with each pass and rises in between; a steady rise means that pruning waits.",
            "s",
            [Query(_CUTOFF_AGE, "cutoff")],
        ),
        lines(
            "Shards that pruning waits for, by reason",
            "unowned: no consumer reads it. behind: it has a backlog. no_watermark: it never had an event. silent: the "
            "whole stream is silent, which is no fault.",
            "none",
            [Query(or_zero(_HELD_BACK, "reason"), "{{reason}}", ("unowned", "behind", "no_watermark", "silent"))],
        ),
        lines(
            "Passes in five minutes, by result",
            "partial: cut short by a stop, or there is no cutoff yet.",
            "none",
            [
                Query(
                    f"sum by (result) (increase(headcount_pruner_passes_total[{_WINDOW}]))",
                    "{{result}}",
                    ("complete", "partial", "failed"),
                )
            ],
        ),
    ]
    work = [
        lines(
            "Time of one pass",
            "A scan of PlayerState, and the deletes at HEADCOUNT_PRUNE_RATE. It should end within the interval.",
            "s",
            quantiles("headcount_pruner_pass_duration_seconds", "pruner", _WINDOW),
        ),
        lines(
            "Players, a minute",
            "Who left, and who came back at the moment of being judged.",
            "cpm",
            [
                Query(f"60 * sum(rate(headcount_pruner_pruned_total[{_WINDOW}]))", "left"),
                Query(f"60 * sum(rate(headcount_pruner_returned_total[{_WINDOW}]))", "returned"),
            ],
        ),
        lines(
            "AWS calls",
            "A second, by operation and result.",
            "reqps",
            [
                Query(
                    rate("headcount_aws_attempts_total", "operation, result", '{job="pruner"}'),
                    "{{operation}} {{result}}",
                )
            ],
        ),
    ]
    return page(
        "pruner",
        "Lets silent players leave, by the events' own clock.",
        (4, figures),
        (9, waiting),
        (9, work),
    )
