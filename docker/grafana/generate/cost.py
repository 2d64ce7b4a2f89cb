"""What it costs: writes per event, calls, and what is paid for nothing."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders.dashboard import Dashboard

from .colours import BLUE, GREEN, ORANGE, YELLOW
from .parts import Query, lines, number, or_zero, page, rate

_EVENTS = 'sum(job:headcount_batch_records:rate5m{job="consumer"})'
_UNITS = f"sum(job_table:headcount_dynamodb_write_units:rate5m) / {_EVENTS}"
_WRITES = f"sum(rate(headcount_consumer_player_writes_total[5m])) / {_EVENTS}"
_PER_CHANGE = (
    "sum(rate(headcount_aggregator_transactions_total[5m])) "
    '/ sum(rate(headcount_aggregator_changes_total{kind="transition"}[5m]))'
)
_TOLD = (
    "DynamoDB's write request units as its answers tell, over five minutes; the KCL's own writes are not in it. "
    "DynamoDB Local gives all tables of a transaction one figure."
)


def dashboard() -> Dashboard:
    """The page on cost."""
    figures = [
        number(
            "Events a second",
            "Records that the consumer read, over five minutes; replays too.",
            "cps",
            _EVENTS,
            thresholds=[(None, BLUE)],
        ),
        number(
            "Writes of PlayerState per event",
            "1 would be a write for each event. Few writes are the point: one per change of level, one per player and "
            "refresh.",
            "none",
            _WRITES,
            thresholds=[(None, GREEN), (0.5, YELLOW), (0.9, ORANGE)],
            decimals=3,
        ),
        number(
            "Transactions per move",
            "Below 1 where moves are netted into one transaction. Many conflicts raise it.",
            "none",
            _PER_CHANGE,
            thresholds=[(None, GREEN), (1, YELLOW), (2, ORANGE)],
            decimals=2,
        ),
        number(
            "AWS calls per event",
            "Attempts of all services, reads too, over five minutes; not the KCL's.",
            "none",
            f"sum(rate(headcount_aws_attempts_total[5m])) / {_EVENTS}",
            thresholds=[(None, BLUE)],
            decimals=3,
        ),
        number(
            "Write units per event",
            f"{_TOLD} docs/cost.md says what to expect.",
            "none",
            _UNITS,
            thresholds=[(None, BLUE)],
            decimals=3,
        ),
        number(
            "Writes for a million events",
            f"{_TOLD} On demand, at the price above: 0.625 USD per million units in us-east-1.",
            "currencyUSD",
            f"$wru_price * {_UNITS}",
            thresholds=[(None, BLUE)],
            decimals=3,
        ),
    ]
    units = [
        lines(
            "Write units a second",
            f"{_TOLD} By service and table.",
            "wps",
            [Query("job_table:headcount_dynamodb_write_units:rate5m", "{{job}}: {{table}}")],
            stack=True,
        ),
        lines(
            "Read units a second",
            "As DynamoDB's answers tell, by table: scans of the pruner and of the live audits, and the cutoff that "
            "each batch reads. Reads of PlayerState's stream are not among them.",
            "rps",
            [Query(rate("headcount_dynamodb_read_units_total", "table"), "{{table}}")],
            stack=True,
        ),
        lines(
            "AWS calls by operation",
            "A second, all services, what is tried again included; not the KCL's.",
            "reqps",
            [Query(rate("headcount_aws_attempts_total", "service, operation"), "{{service}} {{operation}}")],
            stack=True,
        ),
    ]
    waste = [
        lines(
            "What costs and brings nothing",
            "A second: stale writes, transactions that did not go through, deletes of players who came back.",
            "wps",
            [
                Query(
                    or_zero(rate("headcount_consumer_player_writes_total", "", '{result="stale"}')),
                    "stale writes",
                ),
                Query(
                    or_zero(rate("headcount_aggregator_transactions_total", "result", '{result!="applied"}'), "result"),
                    "transactions: {{result}}",
                ),
                Query(rate("headcount_pruner_returned_total"), "deletes of who returned"),
            ],
        ),
        lines(
            "AWS calls that were tried again",
            "A second, by service and operation.",
            "reqps",
            [
                Query(
                    or_zero(rate("headcount_aws_retries_total", "service, operation"), "operation"),
                    "{{service}} {{operation}}",
                )
            ],
        ),
        lines(
            "Per event and per move",
            "Writes of PlayerState per event, and transactions per move, over time.",
            "none",
            [Query(_WRITES, "writes per event"), Query(_PER_CHANGE, "transactions per move")],
        ),
    ]
    price = (
        builders.TextBoxVariable("wru_price")
        .label("USD per million write request units")
        .description("DynamoDB on demand, us-east-1.")
        .default_value("0.625")
    )
    return page(
        "cost",
        "Writes per event, calls of AWS, and what they cost.",
        (4, figures),
        (10, units),
        (9, waste),
    ).with_variable(price)
