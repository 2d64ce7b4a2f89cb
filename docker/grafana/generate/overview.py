"""What players see, how fresh it is, and what is wrong now."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from .colours import BLUE, GREEN, RED, YELLOW
from .parts import Query, bars, lines, number, or_zero, page, rate, rows

_MOVES = rate("headcount_aggregator_changes_total", "", '{kind="transition"}')
_LEFT = rate("headcount_pruner_pruned_total")
_SHOWN = "severity, alertname, job, shard, instance, reason, operation"


def dashboard() -> Dashboard:
    """The first page."""
    figures = [
        number(
            "Players now",
            "All players in all levels, as LevelState says.",
            "none",
            "job:headcount_players:max",
            thresholds=[(None, BLUE)],
        ),
        number(
            "Levels with players",
            "Levels with at least one player.",
            "none",
            "max(headcount_levels)",
            thresholds=[(None, BLUE)],
        ),
        number(
            "Moves a minute",
            "Players who entered the game, changed their level or left it.",
            "cpm",
            f"60 * {_MOVES}",
            thresholds=[(None, BLUE)],
        ),
        number(
            "From event to count",
            "Median over five minutes, from an event's time to its move being counted.",
            "s",
            "job:headcount_aggregator_lag_seconds:median_rate5m",
            thresholds=[(None, GREEN), (5, YELLOW), (30, RED)],
            decimals=1,
        ),
        number(
            "Furthest behind",
            "The reader, of any shard and service, that is furthest from its stream's tip.",
            "s",
            "max(headcount_behind_latest_seconds)",
            thresholds=[(None, GREEN), (10, YELLOW), (120, RED)],
            decimals=1,
        ),
        number(
            "Oldest watermark",
            "Until when, by the events' clock, everything is written. A refresh (60 s) behind is normal; who falls "
            "silent leaves only when it has moved.",
            "s",
            "max(shard:headcount_consumer_watermark_age_seconds:min)",
            thresholds=[(None, GREEN), (90, YELLOW), (300, RED)],
        ),
        number(
            "Counts last read",
            "How old the counts on this page are.",
            "s",
            "time() - max(headcount_level_state_timestamp_seconds)",
            thresholds=[(None, GREEN), (30, YELLOW), (120, RED)],
        ),
        number(
            "Alerts firing",
            "How many alerts fire now; the table below names them.",
            "none",
            or_zero('count(ALERTS{alertstate="firing"})'),
            thresholds=[(None, GREEN), (1, RED)],
        ),
    ]
    players = [
        bars(
            "Players by level",
            "Players in the fullest levels now; (other) is all the rest.",
            "none",
            Query("sort_desc(max by (level) (headcount_players))", "{{level}}"),
        ),
        lines(
            "Players by level over time",
            "The same over time; the upper edge is all players.",
            "none",
            [Query("max by (level) (headcount_players)", "{{level}}")],
            stack=True,
        ),
    ]
    course = [
        lines(
            "Moves over time",
            "Moves a minute that were counted, and players who left after the idle timeout.",
            "cpm",
            [Query(f"60 * {_MOVES}", "moves"), Query(f"60 * {_LEFT}", "left")],
        ),
        lines(
            "How fresh",
            "Readers behind their streams' tip (the worst shard of each service), the oldest watermark, and the median "
            "from event to count.",
            "s",
            [
                Query("max by (job) (headcount_behind_latest_seconds)", "{{job}}", ("consumer", "level_aggregator")),
                Query("max(shard:headcount_consumer_watermark_age_seconds:min)", "watermark"),
                Query("job:headcount_aggregator_lag_seconds:median_rate5m", "event to count"),
            ],
        ),
        rows(
            "What is wrong now",
            "Alerts that fire. Each has its heading in docs/alerts.md: what it means, and what to do.",
            Query(
                or_zero(
                    f'max by ({_SHOWN}) (ALERTS{{alertstate="firing"}})',
                    "alertname",
                    "nothing",
                ),
                "{{alertname}}",
            ),
            hidden=["Time", "Value"],
        ),
    ]
    return page(
        "overview",
        "How many players are in each level, how they move, how fresh that is, and what is wrong.",
        (4, figures),
        (11, players),
        (9, course),
    )
