"""Counts the capacity units that DynamoDB bills, by table: the one figure by which a bill can be checked."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from headcount.aws_attempts import THROTTLING, cancellation_reasons
from headcount.harmless import Harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.hooks import BaseEventHooks
    from botocore.model import OperationModel

    from headcount.process_metrics import AwsMetrics
    from headcount.spending import Spending

_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_ASK = "ReturnConsumedCapacity"
_FAILED_CONDITION = "ConditionalCheckFailed"  # of a statement
_IN_VAIN = "headcount_units_in_vain"  # of a call's context: what it costs if its condition fails

Units = Counter[str]


def count_units(events: BaseEventHooks, metrics: AwsMetrics, spending: Spending | None = None) -> None:
    """Ask each call what it consumes, and count the answer; ``events``: of a session or of a client.

    Asking costs nothing and needs no right. Where an answer has no figure, an emulator's say, nothing is counted.
    """
    harmless = Harmless("units of DynamoDB")

    def on_call(*, params: dict[str, Any], model: OperationModel, context: dict[str, Any], **_: Any) -> None:
        if model.input_shape is not None and _ASK in model.input_shape.members:
            params.setdefault(_ASK, "TOTAL")
            with harmless:
                context[_IN_VAIN] = units_in_vain(params)

    def on_answer(*, parsed: dict[str, Any], model: OperationModel, context: dict[str, Any], **_: Any) -> None:
        with harmless:
            reads, writes = consumed(parsed, is_read=model.name in _READS)
            if _condition_failed(parsed):
                writes = context.get(_IN_VAIN, Counter())
            elif model.name == "BatchExecuteStatement":
                writes |= units_of_statements(parsed)
            for table, units in reads.items():
                metrics.read_units.labels(table=table).inc(units)
            for table, units in writes.items():
                metrics.write_units.labels(table=table).inc(units)
            if spending is not None:
                spending.add(sum(writes.values()))

    events.register("before-parameter-build.dynamodb", on_call)
    events.register("after-call.dynamodb", on_answer)


def consumed(answer: Mapping[str, Any], *, is_read: bool) -> tuple[Units, Units]:
    """Read and write units by table that an answer tells of; what is no object or no figure tells nothing."""
    told = answer.get("ConsumedCapacity", [])
    reads, writes = Counter[str](), Counter[str]()
    for one in [told] if isinstance(told, dict) else told:
        if not isinstance(one, dict):
            continue
        table = one.get("TableName", "")
        if "ReadCapacityUnits" in one or "WriteCapacityUnits" in one:
            # Of a transaction whose answer was lost and that is sent again, only a read of its items is billed.
            reads[table] += _figure(one.get("ReadCapacityUnits"))
            writes[table] += _figure(one.get("WriteCapacityUnits"))
        else:
            (reads if is_read else writes)[table] += _figure(one.get("CapacityUnits"))
    return +reads, +writes


def units_in_vain(params: Mapping[str, Any]) -> Units:
    """Write units by table of a call whose condition fails: DynamoDB bills them, and its answer is silent on it.

    Rows are below 1 kB: one unit each, two in a transaction.
    """
    if "TransactItems" in params:
        items = Counter(one["TableName"] for item in params["TransactItems"] for one in item.values())
        return Counter({table: 2 * count for table, count in items.items()})
    return Counter({params["TableName"]: 1} if "TableName" in params else {})


def _figure(told: Any) -> Any:
    return told if isinstance(told, int | float) and 0 <= told < math.inf else 0


def units_of_statements(answer: Mapping[str, Any]) -> Units:
    """Write units by table of a batch's statements that were carried out: one each, as rows are below 1 kB.

    DynamoDB says nowhere whether the batch's figure holds those whose condition failed; DynamoDB Local gives none.
    """
    return Counter(
        response["TableName"]
        for response in answer.get("Responses", [])
        if "TableName" in response and response.get("Error", {}).get("Code", _FAILED_CONDITION) == _FAILED_CONDITION
    )


def _condition_failed(answer: Mapping[str, Any]) -> bool:
    code = answer.get("Error", {}).get("Code")
    return code == "ConditionalCheckFailedException" or (
        code == "TransactionCanceledException" and not THROTTLING & cancellation_reasons(answer)
    )
