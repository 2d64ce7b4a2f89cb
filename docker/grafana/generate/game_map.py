"""The game map: who looks, and how old what they see is."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from .colours import BLUE, GREEN, RED, YELLOW
from .parts import Query, lines, number, page, quantiles, rate

_JOB = '{job="game_map"}'
_LAG = "max(headcount_map_lag_seconds)"
_STREAMS = "sum(headcount_map_streams)"


def dashboard() -> Dashboard:
    """The map's page."""
    figures = [
        number(
            "How old the counts are",
            "Events that had arrived so long ago are counted in what is shown. 10 to 20 s on silent shards are normal; "
            "DynamoDB Local tells times by the minute.",
            "s",
            _LAG,
            thresholds=[(None, GREEN), (60, YELLOW), (120, RED)],
            decimals=1,
        ),
        number(
            "Streams open",
            "Clients that are told changes as they come, of all maps.",
            "none",
            _STREAMS,
            thresholds=[(None, BLUE)],
        ),
        number(
            "Looks a second",
            "Looks at the tables that went through, of all maps; one a second and map is normal.",
            "none",
            rate("headcount_map_looks_total", selector='{result="ok"}'),
            thresholds=[(None, RED), (0.5, YELLOW), (0.8, GREEN)],
            decimals=2,
        ),
        number(
            "Looks that failed",
            "In five minutes. What is shown stands still meanwhile, and says how old it is.",
            "none",
            'sum(increase(headcount_map_looks_total{result="failed"}[5m]))',
            thresholds=[(None, GREEN), (1, YELLOW), (60, RED)],
        ),
    ]
    course = [
        lines(
            "How old the counts are, over time",
            "It rises while consumer or level aggregator stand still, or fall behind.",
            "s",
            [Query(_LAG, "map")],
        ),
        lines(
            "Streams over time",
            "At HEADCOUNT_MAP_STREAMS a map refuses more, at HEADCOUNT_MAP_ADDRESS_STREAMS one address gets no more.",
            "none",
            [Query(_STREAMS, "streams")],
        ),
    ]
    work = [
        lines(
            "Looks by result",
            "A second, of all maps.",
            "none",
            [Query(rate("headcount_map_looks_total", "result"), "{{result}}", ("ok", "failed"))],
        ),
        lines(
            "Time of one look",
            "Progress, counts and moves of the last minutes. Near a second the map lags.",
            "s",
            quantiles("headcount_map_look_duration_seconds", "game_map"),
        ),
        lines(
            "AWS calls",
            "A second, by operation and result.",
            "reqps",
            [Query(rate("headcount_aws_attempts_total", "operation, result", _JOB), "{{operation}} {{result}}")],
        ),
    ]
    return page(
        "game map",
        "What people see: how old it is, who looks, and what it costs to read.",
        (4, figures),
        (10, course),
        (10, work),
    )
