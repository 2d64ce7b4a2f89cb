"""Counts attempts at AWS calls: botocore tries again by itself, and what it went through shows nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headcount.harmless import Harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3
    from botocore.model import OperationModel

    from headcount.process_metrics import AwsMetrics

OK, THROTTLED, REFUSED, FAILED = "ok", "throttled", "refused", "failed"

# Error codes, those of a batch's statements, and the reasons of a cancelled transaction.
THROTTLING = frozenset(
    {
        "ThrottlingError",  # of an item, or of a batch's statement
        "ProvisionedThroughputExceeded",
        "ThrottlingException",  # of the whole
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "LimitExceededException",
    }
)

_SERVER_ERROR = 500
_FAILED_CONDITION, _FAILED_STATEMENT = "ConditionalCheckFailed", "InternalServerError"  # codes of statements


def count_attempts(session: boto3.Session, metrics: AwsMetrics) -> None:
    """Count the attempts of all clients that ``session`` makes from now on."""
    harmless = Harmless("attempts at AWS calls")

    def on_attempt(*, response: Any, operation: OperationModel, attempts: int, **_: Any) -> None:
        with harmless:
            service, name = operation.service_model.service_id.hyphenize(), operation.name
            metrics.attempts.labels(service=service, operation=name, result=result_of(response)).inc()
            if attempts > 1:
                metrics.retries.labels(service=service, operation=name).inc()

    # Emitted after every attempt, the good ones too; who returns None has no say in whether there is another.
    session.events.register("needs-retry", on_attempt)


def result_of(response: tuple[Any, dict[str, Any]] | None) -> str:
    """What came of an attempt: ``response`` holds HTTP's and the parsed one, None: there was no answer."""
    if response is None:
        return FAILED
    http, parsed = response
    if "Error" not in parsed:
        return _result_of_batch(parsed.get("Responses"))
    if THROTTLING & {parsed["Error"].get("Code"), *cancellation_reasons(parsed)}:
        return THROTTLED
    return FAILED if http.status_code >= _SERVER_ERROR else REFUSED


def cancellation_reasons(answer: Mapping[str, Any]) -> set[str | None]:
    """Codes of what cancelled a transaction; an entry that is no object tells nothing."""
    return {reason.get("Code") for reason in answer.get("CancellationReasons", []) if isinstance(reason, dict)}


def _result_of_batch(statements: Any) -> str:
    """Of a call that went through: what became of the worst of its statements, if it had any.

    A failed condition is an answer like another.
    """
    told = statements if isinstance(statements, list) else []
    codes = {one["Error"].get("Code") for one in told if isinstance(one, dict) and "Error" in one} - {_FAILED_CONDITION}
    if not codes:
        return OK
    if THROTTLING & codes:
        return THROTTLED
    return FAILED if _FAILED_STATEMENT in codes else REFUSED
