"""What DynamoDB bills is counted, by table, as its answers tell."""

import errno

import pytest
from botocore.exceptions import ClientError
from prometheus_client import Counter
from structlog.testing import capture_logs

from headcount.aws import Aws
from headcount.model import Progress
from headcount.tables.progress import ProgressTable
from tests.fakes.answers import Answer, play

KEY = {"k": {"S": "v"}}
PLAIN: Answer = (200, {})
CONDITION: Answer = (400, {"__type": "com.amazonaws#ConditionalCheckFailedException"})
CANCELLED = "com.amazonaws#TransactionCanceledException"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Clients that wait for nothing."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    return Aws("us-east-1")


def used(table: str, units: float, **more: float) -> dict[str, object]:
    return {"TableName": table, "CapacityUnits": units, **more}


def told(*tables: dict[str, object]) -> Answer:
    """One figure, or one for each table of a transaction."""
    return 200, {"ConsumedCapacity": tables[0] if len(tables) == 1 else list(tables)}


def counted(aws: Aws, kind: str) -> dict[str, float]:
    """Units by table."""
    return {
        sample.labels["table"]: sample.value
        for family in aws.metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"headcount_dynamodb_{kind}_units_total"
    }


def transact(aws: Aws, *tables: str) -> None:
    aws.dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": table, "Key": KEY}} for table in tables])


def test_every_call_that_can_tell_is_asked_and_no_other(aws: Aws) -> None:
    asked = play(aws.dynamodb, *[PLAIN] * 3)

    aws.dynamodb.get_item(TableName="t", Key=KEY)
    aws.dynamodb.scan(TableName="t", ReturnConsumedCapacity="NONE")
    aws.dynamodb.list_tables()

    assert [body.get("ReturnConsumedCapacity") for body in asked] == ["TOTAL", "NONE", None]


def test_reads_and_writes_count_by_table(aws: Aws) -> None:
    play(aws.dynamodb, told(used("t", 1)), told(used("t", 0.5)), told(used("t", 128.5)), told(used("u", 3)))

    aws.dynamodb.delete_item(TableName="t", Key=KEY)
    aws.dynamodb.get_item(TableName="t", Key=KEY)
    aws.dynamodb.scan(TableName="t")
    aws.dynamodb.put_item(TableName="u", Item=KEY)

    assert counted(aws, "write") == {"t": 1, "u": 3}
    assert counted(aws, "read") == {"t": 129}


def test_a_transaction_counts_for_each_of_its_tables(aws: Aws) -> None:
    play(aws.dynamodb, told(used("t", 4, WriteCapacityUnits=4), used("u", 2)))

    transact(aws, "t", "u", "t")

    assert counted(aws, "write") == {"t": 4, "u": 2}


def test_a_transaction_sent_again_after_a_lost_answer_counts_as_the_read_that_is_billed(aws: Aws) -> None:
    play(aws.dynamodb, None, told(used("t", 4, ReadCapacityUnits=4), used("u", 2, ReadCapacityUnits=2)))

    transact(aws, "t", "u", "t")

    assert counted(aws, "write") == {}
    assert counted(aws, "read") == {"t": 4, "u": 2}


def test_a_failed_condition_costs_what_the_answer_does_not_tell(aws: Aws) -> None:
    play(aws.dynamodb, CONDITION, CONDITION)

    assert not ProgressTable(aws.dynamodb, "StreamProgress").move("w", Progress(), Progress())
    with pytest.raises(ClientError):
        aws.dynamodb.delete_item(TableName="t", Key=KEY, ConditionExpression="attribute_exists(k)")

    assert counted(aws, "write") == {"StreamProgress": 1, "t": 1}


@pytest.mark.parametrize("reason", ["ConditionalCheckFailed", "TransactionConflict"])
def test_a_cancelled_transaction_costs_two_units_per_item(aws: Aws, reason: str) -> None:
    play(aws.dynamodb, (400, {"__type": CANCELLED, "CancellationReasons": [{"Code": reason}, {"Code": "None"}]}))

    with pytest.raises(ClientError):
        transact(aws, "t", "u", "t")

    assert counted(aws, "write") == {"t": 4, "u": 2}


def answered(*codes: str | None) -> list[dict[str, object]]:
    """A batch's responses, by the statements' errors."""
    return [{"TableName": "t"} | ({"Error": {"Code": code}} if code else {}) for code in codes]


@pytest.mark.parametrize("capacity", [[], [used("t", 2)], [used("t", 3)], [used("t", 1), used("t", 1), used("t", 1)]])
def test_a_batchs_statements_are_a_unit_each_unless_they_were_not_carried_out(
    aws: Aws, capacity: list[dict[str, object]]
) -> None:
    """Whether or not the answer has a figure, and whether or not it holds those whose condition failed."""
    responses = answered(None, "ConditionalCheckFailed", None, "ThrottlingError", "TransactionConflict")
    play(aws.dynamodb, (200, {"Responses": responses, "ConsumedCapacity": capacity}))

    aws.dynamodb.batch_execute_statement(Statements=[{"Statement": "UPDATE …"}])

    assert counted(aws, "write") == {"t": 3}


def test_a_batch_of_large_rows_counts_as_its_answer_tells(aws: Aws) -> None:
    play(aws.dynamodb, (200, {"Responses": answered(None, None), "ConsumedCapacity": [used("t", 4)]}))

    aws.dynamodb.batch_execute_statement(Statements=[{"Statement": "UPDATE …"}])

    assert counted(aws, "write") == {"t": 4}


def test_what_is_throttled_fails_or_tells_nothing_costs_nothing(aws: Aws) -> None:
    throttled = {"__type": CANCELLED, "CancellationReasons": [{"Code": "ThrottlingError"}]}
    play(aws.dynamodb, (500, {"__type": "com.amazonaws#InternalServerError"}), PLAIN, (400, throttled))

    aws.dynamodb.scan(TableName="t")
    with pytest.raises(ClientError):
        transact(aws, "t")

    assert counted(aws, "write") == counted(aws, "read") == {}


def test_a_streams_reads_are_not_among_them(aws: Aws) -> None:
    asked = play(aws.streams, PLAIN)

    aws.streams.list_streams()

    assert asked == [{}]
    assert counted(aws, "read") == {}


def test_an_entry_that_is_no_object_and_a_figure_that_is_none_count_nothing(aws: Aws) -> None:
    odd: list[object] = [None, {}, used("t", -3), used("t", float("inf")), used("t", float("nan"))]
    told_oddly: Answer = (200, {"ConsumedCapacity": [*odd, {"TableName": "t", "CapacityUnits": "4"}, used("u", 2)]})
    play(aws.dynamodb, (200, {"ConsumedCapacity": [None]}), told_oddly)

    with capture_logs() as logs:
        transact(aws, "t")
        transact(aws, "t", "u")

    assert counted(aws, "write") == {"u": 2}
    assert logs == []


def test_reasons_that_tell_nothing_leave_the_callers_error_as_it_is(aws: Aws) -> None:
    play(aws.dynamodb, (400, {"__type": CANCELLED, "CancellationReasons": [None]}))

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        transact(aws, "t")

    assert counted(aws, "write") == {"t": 2}


def test_a_metric_that_cannot_grow_breaks_no_call_and_is_told_once(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    play(aws.dynamodb, *[told(used("t", 1))] * 3)
    monkeypatch.setattr(Counter, "labels", full)

    with capture_logs() as logs:
        for _ in range(3):
            aws.dynamodb.delete_item(TableName="t", Key=KEY)

    loud = [(line["what"], line["error"]) for line in logs if line["log_level"] == "warning"]
    assert loud == [("attempts at AWS calls", "OSError"), ("units of DynamoDB", "OSError")]
    assert "No space left" in logs[0]["reason"]
    assert {line["log_level"] for line in logs[2:]} == {"debug"}


def test_who_stops_the_process_amid_a_count_is_heard(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    play(aws.dynamodb, told(used("t", 1)))
    monkeypatch.setattr(Counter, "labels", stop)

    with pytest.raises(KeyboardInterrupt):
        aws.dynamodb.delete_item(TableName="t", Key=KEY)
