"""What the lease watch makes of DynamoDB's answers, and of none."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from prometheus_client import CollectorRegistry

from headcount.kcl.lease_watch import LOOKS_MISSED, TABLE_SECONDS, LeaseWatch
from headcount.kcl.leases import LeaseBook
from headcount.process_metrics import SupervisorMetrics
from tests.fakes.clock import Clock

TABLES = ("PlayerState", "LevelState")


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Scan")


class _DynamoDB:
    """Lease rows and the states of tables; ``fails`` is what every call raises."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] | None = None
        self.status = dict.fromkeys(TABLES, "ACTIVE")
        self.fails: Exception | None = None
        self.described = 0

    def scan(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["TableName"] == "app"
        if self.fails:
            raise self.fails
        if self.rows is None:
            raise refused("ResourceNotFoundException")
        page = int(arguments.get("ExclusiveStartKey", 0))
        more = {"LastEvaluatedKey": page + 1} if page + 1 < len(self.rows) else {}
        return {"Items": self.rows[page : page + 1], **more}

    def describe_table(self, **arguments: Any) -> dict[str, Any]:
        self.described += 1
        if self.fails:
            raise self.fails
        if arguments["TableName"] not in self.status:
            raise refused("ResourceNotFoundException")
        return {"Table": {"TableStatus": self.status[arguments["TableName"]]}}


class _Watched:
    def __init__(self) -> None:
        self.clock, self.dynamodb = Clock(), _DynamoDB()
        self.registry = CollectorRegistry()
        metrics = SupervisorMetrics(self.registry)
        client: Any = self.dynamodb
        self.watch = LeaseWatch(client, "app", TABLES, LeaseBook("me", 2.0), metrics, self.clock)

    def leases(self, state: str) -> float | None:
        return self.registry.get_sample_value("headcount_leases", {"state": state})


@pytest.fixture
def watched() -> _Watched:
    return _Watched()


def row(key: str, owner: str | None, counter: int, checkpoint: str = "TRIM_HORIZON") -> dict[str, Any]:
    owned = {"leaseOwner": {"S": owner}} if owner else {}
    return {"leaseKey": {"S": key}, "leaseCounter": {"N": str(counter)}, "checkpoint": {"S": checkpoint}, **owned}


def test_before_the_first_look_nothing_is_known(watched: _Watched) -> None:
    assert watched.watch.problems() == ["DynamoDB gives no answer: it was not asked yet"]


def test_a_lease_table_that_is_still_to_be_made_is_no_error(watched: _Watched) -> None:
    assert watched.watch.turn() == 2.0

    assert watched.watch.problems() == []
    assert [watched.leases(state) for state in ("mine", "others", "stalled")] == [0, 0, 0]


def test_leases_are_told_by_state_without_those_of_ended_shards(watched: _Watched) -> None:
    watched.dynamodb.rows = [
        row("a", "me", 3),
        row("b", "you", 4, checkpoint="495"),
        row("c", "you", 9, checkpoint="SHARD_END"),
        row("d", None, 0),
        row("e", "they", 1),
    ]

    watched.watch.turn()

    assert [watched.leases(state) for state in ("mine", "others", "stalled")] == [1, 2, 1]
    assert watched.watch.leases.stalled == ("d",)


def test_one_look_without_an_answer_is_borne_and_several_are_not(watched: _Watched) -> None:
    watched.watch.turn()
    watched.dynamodb.fails = ConnectTimeoutError(endpoint_url="memory")
    for _ in range(LOOKS_MISSED):
        watched.clock.now += 5  # its pause, and the time that the attempt took
        watched.watch.turn()
        assert watched.watch.problems() == []

    watched.clock.now += 1
    [problem] = watched.watch.problems()
    assert problem.startswith("DynamoDB gives no answer: DynamoDB can't be reached: Connect timeout")

    watched.dynamodb.fails = None
    watched.watch.turn()
    assert watched.watch.problems() == []


def test_a_table_that_is_gone_is_told_at_the_next_look_and_its_return_soon(watched: _Watched) -> None:
    watched.watch.turn()
    del watched.dynamodb.status["LevelState"]
    watched.clock.now += TABLE_SECONDS - 1
    watched.watch.turn()
    assert watched.watch.problems() == []

    watched.clock.now += 1
    watched.watch.turn()
    [problem] = watched.watch.problems()
    assert problem.startswith("DynamoDB table LevelState does not exist")

    watched.dynamodb.status["LevelState"] = "CREATING"
    watched.clock.now += watched.watch.seconds
    watched.watch.turn()
    assert watched.watch.problems() == [
        "DynamoDB table LevelState is CREATING, not ACTIVE yet. Try again when it is.",
    ]

    watched.dynamodb.status["LevelState"] = "ACTIVE"
    watched.clock.now += watched.watch.seconds
    watched.watch.turn()
    assert watched.watch.problems() == []


def test_well_tables_are_looked_at_now_and_then_only(watched: _Watched) -> None:
    for _ in range(30):
        watched.watch.turn()
        watched.clock.now += 2

    assert watched.dynamodb.described == 2 * len(TABLES)


def test_a_refusal_is_told_with_its_reason(watched: _Watched) -> None:
    watched.dynamodb.fails = refused("AccessDeniedException")

    watched.watch.turn()

    [problem] = watched.watch.problems()
    assert "AccessDeniedException" in problem
