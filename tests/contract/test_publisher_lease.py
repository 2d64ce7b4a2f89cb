"""The lease of the map's publisher, on the emulators: one replica at a time holds it."""

from collections.abc import Callable

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from game_map.lease import HISTORY, RENEWALS, SNAPSHOTS, Lease
from headcount.settings import Settings
from headcount.tables.progress import ProgressTable
from tests.fakes.clock import Clock
from tests.fakes.emulated import make_tables

SECONDS = 9.0


@pytest.fixture
def clock() -> Clock:
    """One pace for all replicas."""
    return Clock()


@pytest.fixture
def replica(client: DynamoDBClient, settings: Settings, clock: Clock) -> Callable[[], Lease]:
    """Makes a replica's side of the lease."""
    make_tables(client, settings, settings.progress_table)
    return lambda: Lease(client, settings.progress_table, SNAPSHOTS, SECONDS, clock)


def test_a_free_lease_is_taken_and_kept(replica: Callable[[], Lease], clock: Clock) -> None:
    first, second = replica(), replica()

    assert not first.is_held
    for _ in range(3 * RENEWALS):
        assert first.renew()
        assert not second.renew()
        assert (first.is_held, second.is_held) == (True, False)
        clock.sleep(SECONDS / RENEWALS)


def test_a_dead_holder_is_followed_when_its_time_is_up_and_not_before(
    replica: Callable[[], Lease], clock: Clock
) -> None:
    dead, second, third = replica(), replica(), replica()
    dead.renew()

    assert not second.renew()
    clock.sleep(SECONDS - 0.1)
    assert (dead.is_held, second.renew()) == (True, False)
    clock.sleep(0.1)
    assert not third.renew()  # has seen it only now
    assert second.renew()
    assert not dead.renew()
    assert not dead.is_held
    assert not third.renew()


def test_a_lease_given_up_is_free_at_once(replica: Callable[[], Lease]) -> None:
    first, second = replica(), replica()
    first.renew()

    first.release()

    assert not first.is_held
    assert second.renew()
    first.release()  # is not its own any more
    assert second.renew()


def test_the_lost_answer_of_its_own_renewal_is_no_loss(
    replica: Callable[[], Lease], client: DynamoDBClient, settings: Settings
) -> None:
    holder = replica()
    holder.renew()
    # What a renewal writes whose answer does not arrive.
    client.update_item(
        TableName=settings.progress_table,
        Key={"worker": {"S": SNAPSHOTS}},
        UpdateExpression="SET #counter = #counter + :one",
        ExpressionAttributeNames={"#counter": "counter"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )

    assert holder.renew()
    assert holder.renew()


def test_of_many_who_try_at_once_one_gets_it(replica: Callable[[], Lease], clock: Clock) -> None:
    dead, others = replica(), [replica() for _ in range(4)]
    dead.renew()
    for other in others:
        assert not other.renew()
    clock.sleep(SECONDS)

    assert [other.renew() for other in others] == [True, False, False, False]


def test_whoever_holds_one_lease_leaves_the_other(
    replica: Callable[[], Lease], client: DynamoDBClient, settings: Settings, clock: Clock
) -> None:
    assert replica().renew()

    assert Lease(client, settings.progress_table, HISTORY, SECONDS, clock).renew()


def test_an_error_is_no_lease(clock: Clock, client: DynamoDBClient) -> None:
    lease = Lease(client, "no-such-table", SNAPSHOTS, SECONDS, clock)

    with pytest.raises(client.exceptions.ResourceNotFoundException):
        lease.renew()
    assert not lease.is_held


def test_its_row_is_no_workers(replica: Callable[[], Lease], client: DynamoDBClient, settings: Settings) -> None:
    replica().renew()

    table = ProgressTable(client, settings.progress_table)
    assert table.read_all("consumer/") == table.read_all("level_aggregator/") == {}
