"""The claim on a fixed worker id, on the emulators."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.kcl.claim import DEAD_AFTER_SECONDS, HEARTBEAT_SECONDS, Claim, ClaimRefusedError
from headcount.settings import Settings
from tests.fakes.clock import Clock
from tests.fakes.emulated import make_tables

KEY = "claim/headcount-consumer/worker-1"


class Waiting(Clock):
    """A clock on which something happens during each sleep."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        """Let it happen."""
        super().sleep(seconds)
        self._meanwhile()


@pytest.fixture
def table(client: DynamoDBClient, settings: Settings) -> str:
    """The table that holds claims."""
    make_tables(client, settings, settings.progress_table)
    return settings.progress_table


def claim(client: DynamoDBClient, table: str, clock: Clock) -> Claim:
    return Claim(client, table, KEY, monotonic=clock, sleep=clock.sleep)


def overwrite(client: DynamoDBClient, table: str, **values: dict[str, str]) -> None:
    """Change attributes of the claim's row."""
    for name, value in values.items():
        client.update_item(
            TableName=table,
            Key={"worker": {"S": KEY}},
            UpdateExpression=f"SET {name} = :value",
            ExpressionAttributeValues={":value": value},
        )


def row(client: DynamoDBClient, table: str) -> dict[str, object]:
    return dict(client.get_item(TableName=table, Key={"worker": {"S": KEY}}, ConsistentRead=True).get("Item", {}))


def test_a_free_claim_is_taken_at_once(client: DynamoDBClient, table: str) -> None:
    clock = Clock()

    claim(client, table, clock).take()

    assert row(client, table)["beat"] == {"N": "0"}
    assert clock.slept == []


def test_a_released_claim_is_free(client: DynamoDBClient, table: str) -> None:
    first = claim(client, table, Clock())
    first.take()
    first.release()

    assert row(client, table) == {}
    claim(client, table, Clock()).take()


def test_a_second_holder_is_refused_while_the_first_lives(client: DynamoDBClient, table: str) -> None:
    here = Clock()
    first = claim(client, table, here)
    first.take()

    def heartbeat() -> None:
        here.now += HEARTBEAT_SECONDS
        assert first.beat()

    with pytest.raises(ClaimRefusedError, match=r"Worker id worker-1 is held by process \d+ on .*, which is alive"):
        claim(client, table, Waiting(heartbeat)).take()

    assert first.beat()


def test_a_silent_holder_elsewhere_is_dead_after_a_while(client: DynamoDBClient, table: str) -> None:
    claim(client, table, Clock()).take()
    overwrite(client, table, host={"S": "elsewhere"})
    clock = Clock()

    claim(client, table, clock).take()

    assert sum(clock.slept) == pytest.approx(DEAD_AFTER_SECONDS, abs=1)


def test_a_dead_process_of_this_machine_is_known_to_be_dead(client: DynamoDBClient, table: str) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    claim(client, table, Clock()).take()
    overwrite(client, table, pid={"N": str(dead.pid)})
    clock = Clock()

    claim(client, table, clock).take()

    assert clock.slept == []


def test_only_one_of_two_takes_it_over(client: DynamoDBClient, table: str) -> None:
    """Both saw the same dead holder; the other one was quicker."""
    claim(client, table, Clock()).take()
    overwrite(client, table, host={"S": "elsewhere"})
    clock = Clock()
    asked = 0

    def when_the_last_look_is_done() -> float:
        nonlocal asked
        asked += 1
        if asked == 3:  # made, deadline set, deadline met
            overwrite(client, table, holder={"S": "the other"})
            return clock() + DEAD_AFTER_SECONDS
        return clock()

    late = Claim(client, table, KEY, monotonic=when_the_last_look_is_done, sleep=clock.sleep)

    with pytest.raises(ClaimRefusedError, match="taken by another process at the same moment"):
        late.take()
    assert row(client, table)["holder"] == {"S": "the other"}


def test_the_heartbeat_is_written_when_it_is_time(client: DynamoDBClient, table: str) -> None:
    clock = Clock()
    held = claim(client, table, clock)
    held.take()

    assert held.beat()
    assert row(client, table)["beat"] == {"N": "0"}
    clock.now += HEARTBEAT_SECONDS
    assert held.beat()
    assert row(client, table)["beat"] == {"N": "1"}


def test_a_claim_that_another_took_is_lost_and_stays_theirs(client: DynamoDBClient, table: str) -> None:
    clock = Clock()
    held = claim(client, table, clock)
    held.take()
    overwrite(client, table, holder={"S": "another"})
    clock.now += HEARTBEAT_SECONDS

    assert not held.beat()
    held.release()
    assert row(client, table)["holder"] == {"S": "another"}


def test_a_table_out_of_reach_is_borne_for_half_the_time_that_makes_one_dead(
    client: DynamoDBClient, table: str
) -> None:
    clock = Clock()
    held = claim(client, table, clock)
    held.take()
    client.delete_table(TableName=table)

    clock.now += DEAD_AFTER_SECONDS / 2 - 1
    assert held.beat()
    clock.now += 1
    assert not held.beat()


def test_a_missing_table_raises(client: DynamoDBClient, settings: Settings) -> None:
    held = claim(client, settings.progress_table, Clock())

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        held.take()
    held.release()  # best effort


def test_a_claim_that_cant_be_renewed_is_lost_before_another_can_take_it(
    client: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt takes as long as its timeouts let it: the loss must show well before the id is free."""
    clock = Clock()
    held = claim(client, table, clock)
    held.take()
    taken_at = clock.now

    def unreachable(**_: object) -> None:
        clock.now += 3
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(client, "update_item", unreachable)
    monkeypatch.setattr(client, "delete_item", unreachable)
    while held.beat():
        clock.now += HEARTBEAT_SECONDS / 4

    assert clock.now - taken_at < DEAD_AFTER_SECONDS
    held.release()  # best effort: raises nothing
