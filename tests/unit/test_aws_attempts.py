"""Every attempt at an AWS call is counted, botocore's own tries among them."""

import pytest
from botocore.exceptions import ClientError

from headcount.aws import ATTEMPTS, Aws
from tests.fakes.answers import Answer, play

OK: Answer = (200, {})
SLOW_DOWN: Answer = (400, {"__type": "com.amazonaws#ThrottlingException"})
NO_SUCH_TABLE: Answer = (400, {"__type": "com.amazonaws#ResourceNotFoundException"})
CONDITION: Answer = (400, {"__type": "com.amazonaws#ConditionalCheckFailedException"})
BROKEN: Answer = (500, {"__type": "com.amazonaws#InternalServerError"})
CANCELLED = "com.amazonaws#TransactionCanceledException"
NOT_MOVED: Answer = (400, {"__type": CANCELLED, "CancellationReasons": [{"Code": "ConditionalCheckFailed"}]})
HOT_ITEM: Answer = (400, {"__type": CANCELLED, "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}]})
UNTOLD: Answer = (400, {"__type": CANCELLED, "CancellationReasons": [None]})
HALF_TOLD: Answer = (400, {"__type": CANCELLED, "CancellationReasons": [None, {"Code": "ThrottlingError"}]})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Clients that wait for nothing."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    return Aws("us-east-1")


def attempts(aws: Aws) -> dict[tuple[str, str], float]:
    """Counted attempts by operation and result."""
    return {
        (sample.labels["operation"], sample.labels["result"]): sample.value
        for family in aws.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "headcount_aws_attempts_total"
    }


def retries(aws: Aws, operation: str) -> float | None:
    labels = {"service": "dynamodb", "operation": operation}
    return aws.metrics.registry.get_sample_value("headcount_aws_retries_total", labels)


def test_a_call_that_goes_through_is_one_attempt(aws: Aws) -> None:
    play(aws.dynamodb, OK)

    aws.dynamodb.get_item(TableName="t", Key={"k": {"S": "v"}})

    assert attempts(aws) == {("GetItem", "ok"): 1}
    assert retries(aws, "GetItem") is None


def test_each_try_counts_by_what_came_of_it_and_counting_changes_no_retry(aws: Aws) -> None:
    play(aws.dynamodb, SLOW_DOWN, BROKEN, None, OK)

    aws.dynamodb.scan(TableName="t")

    assert attempts(aws) == {
        ("Scan", "throttled"): 1,
        ("Scan", "failed"): 2,
        ("Scan", "ok"): 1,
    }
    assert retries(aws, "Scan") == 3


def test_what_is_refused_is_not_tried_again(aws: Aws) -> None:
    play(aws.dynamodb, NO_SUCH_TABLE, CONDITION)

    for _ in range(2):
        with pytest.raises(ClientError):
            aws.dynamodb.scan(TableName="t")

    assert attempts(aws) == {("Scan", "refused"): 2}


def test_a_cancelled_transaction_is_throttled_or_refused_by_its_reasons(aws: Aws) -> None:
    play(aws.dynamodb, NOT_MOVED, HOT_ITEM)

    for _ in range(2):
        with pytest.raises(ClientError):
            aws.dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": "t", "Key": {"k": {"S": "v"}}}}])

    assert attempts(aws) == {("TransactWriteItems", "refused"): 1, ("TransactWriteItems", "throttled"): 1}


def test_reasons_that_tell_nothing_are_passed_over(aws: Aws) -> None:
    play(aws.dynamodb, UNTOLD, HALF_TOLD)

    for _ in range(2):
        with pytest.raises(ClientError):
            aws.dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": "t", "Key": {"k": {"S": "v"}}}}])

    assert attempts(aws) == {("TransactWriteItems", "refused"): 1, ("TransactWriteItems", "throttled"): 1}


def test_the_last_try_counts_too(aws: Aws) -> None:
    play(aws.dynamodb, *[BROKEN] * ATTEMPTS)

    with pytest.raises(ClientError):
        aws.dynamodb.scan(TableName="t")

    assert attempts(aws) == {("Scan", "failed"): ATTEMPTS}
    assert retries(aws, "Scan") == ATTEMPTS - 1


def test_the_clients_of_the_start_count_in_the_same_place(aws: Aws) -> None:
    start = aws.at_start()
    play(start.dynamodb, OK)
    start.dynamodb.list_tables()
    play(aws.dynamodb, OK)
    aws.dynamodb.list_tables()

    assert attempts(aws) == {("ListTables", "ok"): 2}


def test_services_have_the_names_that_aws_gives_them(aws: Aws) -> None:
    names = {client.meta.service_model.service_id.hyphenize() for client in (aws.dynamodb, aws.streams, aws.kinesis)}

    assert names == {"dynamodb", "dynamodb-streams", "kinesis"}


@pytest.mark.parametrize(
    ("codes", "result"),
    [
        ([], "ok"),
        (["ConditionalCheckFailed"], "ok"),
        (["ConditionalCheckFailed", "ThrottlingError", "InternalServerError"], "throttled"),
        (["InternalServerError", "AccessDenied"], "failed"),
        (["AccessDenied"], "refused"),
    ],
)
def test_a_batch_is_as_good_as_the_worst_of_its_statements(aws: Aws, codes: list[str], result: str) -> None:
    """A condition that fails is foreseen."""
    play(aws.dynamodb, (200, {"Responses": [{}, *({"Error": {"Code": code}} for code in codes)]}))

    aws.dynamodb.batch_execute_statement(Statements=[{"Statement": "UPDATE …"}])

    assert attempts(aws) == {("BatchExecuteStatement", result): 1}


def test_items_of_a_batch_read_are_no_statements(aws: Aws) -> None:
    play(aws.dynamodb, (200, {"Responses": {"Error": [{"k": {"S": "v"}}]}}))

    aws.dynamodb.batch_get_item(RequestItems={"Error": {"Keys": [{"k": {"S": "v"}}]}})

    assert attempts(aws) == {("BatchGetItem", "ok"): 1}
