"""PlayerState's stream, read without the KCL: shards that roll, records that are trimmed, iterators that expire."""

import pytest
from botocore.stub import Stubber

from headcount.lineage import KEPT_FOR_CERTAIN_MS, StreamShard
from headcount.model import Position
from headcount.table_stream import Reading, StreamRecord, TableStream
from tests.fakes.clock import Clock
from tests.fakes.emulated import session
from tests.fakes.table_stream import ExpiredError, MemoryStreamClient, memory_stream

NOW = 1_900_000_000_000
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/PlayerState/stream/2026-11-24T10:00:00.000"
SHARD = StreamShard("shardId-00000001795514955235-644af209", None, "100000000000000000001")


def read(client: MemoryStreamClient, **after: Position | None) -> tuple[Reading, list[str]]:
    """All there is, and the players in the order in which they came."""
    clock = Clock()
    players: list[str] = []
    reading = Reading(memory_stream(client), after, (), clock, clock.sleep)
    reading.until_quiet(2, lambda records: players.extend(r["dynamodb"]["Keys"]["playerId"]["S"] for r in records))
    return reading, players


def test_parents_come_before_children_in_order() -> None:
    client = MemoryStreamClient()
    client.begin("a")
    for number in range(5):
        client.put("a", f"a{number}", None, "forest")
    client.roll("a", "b")
    client.put("b", "b0", None, "forest")
    client.roll("b", "c")
    last = client.put("c", "c0", None, "forest")

    reading, players = read(client)

    assert players == ["a0", "a1", "a2", "a3", "a4", "b0", "c0"]
    assert reading.finished == {"a", "b"}
    assert reading.positions["c"] == Position(last)


def test_it_reads_on_from_a_position_and_from_what_is_left() -> None:
    client = MemoryStreamClient()
    client.begin("a")
    numbers = [client.put("a", f"p{number}", None, "forest") for number in range(5)]

    assert read(client, a=Position(numbers[2]))[1] == ["p3", "p4"]
    client.trim("a", 4)
    assert read(client, a=Position(numbers[2]))[1] == ["p4"]
    assert read(client)[1] == ["p4"]


def test_a_shard_that_comes_is_not_quiet() -> None:
    """A roll moves the tip: what lies on the child must be seen before it counts as still."""
    client = MemoryStreamClient()
    client.begin("a")
    reading, _ = read(client)
    client.roll("a", "b")
    client.put("b", "ana", None, "forest")

    assert reading.until_quiet(1) == 1
    assert reading.until_quiet(1) == 0


def test_a_table_that_is_written_all_the_time_is_not_waited_for() -> None:
    """Each round brings something: it ends once it has caught up for long enough, not before."""
    client, clock = MemoryStreamClient(), Clock()
    client.begin("a")

    def write() -> None:
        clock.now += 0.2
        client.put("a", "ana", None, "forest")

    client.on_read = write
    begun = clock.now
    reading = Reading(memory_stream(client), {}, (), clock, clock.sleep)

    assert reading.until_quiet(1, caught_up_seconds=3) >= 15
    assert 3 <= clock.now - begun < 4


def test_one_answer_that_takes_long_is_no_silence() -> None:
    """A page without records proves nothing: DynamoDB may have more, and says so in the next ones."""
    client, clock = MemoryStreamClient(), Clock()
    client.begin("a")
    answers = iter(["empty", "slow", "full"])

    def answer() -> None:
        match next(answers, None):
            case "slow":
                clock.now += 10
            case "full":
                client.put("a", "ana", None, "forest")

    client.on_read = answer
    assert Reading(memory_stream(client), {}, (), clock, clock.sleep).until_quiet(2) == 1


def test_an_iterator_that_expired_is_replaced() -> None:
    """A scan of PlayerState may take longer than the quarter of an hour that one lives."""
    client = MemoryStreamClient()
    client.begin("a")
    client.put("a", "ana", None, "forest")
    reading, _ = read(client)
    client.put("a", "ben", None, "forest")
    failures = [ExpiredError()]

    def expire() -> None:
        if failures:
            raise failures.pop()

    client.on_read = expire
    assert reading.until_quiet(2) == 1


def test_a_shard_that_vanishes_has_no_more_to_say() -> None:
    client = MemoryStreamClient()
    client.begin("a")
    stream = memory_stream(client)
    [shard] = stream.listing().shards
    client.drop("a")
    assert stream.iterator(shard, None) is None
    assert stream.is_lost("a", Position(1), NOW)


def test_what_was_trimmed_after_a_position_is_lost() -> None:
    client = MemoryStreamClient()
    client.begin("a")
    first, second = (client.put("a", player, None, "forest") for player in ("ana", "ben"))
    client.trim("a", 1)
    stream = memory_stream(client)

    assert stream.is_lost("a", Position(first), NOW)
    assert not stream.is_lost("a", Position(second), NOW)
    [shard] = stream.listing().shards
    assert stream.is_trimmed(shard, None)
    assert stream.is_lost("a", None, NOW)
    assert not stream.is_lost("a", None, stream.listing().created_at + KEPT_FOR_CERTAIN_MS)


@pytest.mark.parametrize(("ending", "trimmed"), [(None, True), ("200000000000000000000", True), ("150", False)])
def test_the_real_answer_for_what_was_trimmed(ending: str | None, trimmed: bool) -> None:
    """As DynamoDB refuses it. A shard that ends before the position has nothing that could be lost."""
    client = session().client("dynamodbstreams", endpoint_url="http://127.0.0.1:1")
    shard = StreamShard(SHARD.shard_id, None, SHARD.starting, ending)
    with Stubber(client) as answers:
        answers.add_client_error(
            "get_shard_iterator",
            "TrimmedDataAccessException",
            "The operation attempted to read past the oldest stream record in a shard.",
            http_status_code=400,
            expected_params={
                "StreamArn": ARN,
                "ShardId": SHARD.shard_id,
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": "100000000000000000007",
            },
        )
        assert TableStream(client, ARN).is_trimmed(shard, Position(100000000000000000007)) == trimmed
    client.close()


def test_a_shard_without_numbers_has_lost_nothing() -> None:
    """MiniStack lists one so that has no records."""
    stream = memory_stream(MemoryStreamClient())
    assert not stream.is_trimmed(StreamShard("a"), Position(7))


@pytest.mark.parametrize("page", [1, 5, 800])
def test_a_backlog_in_small_pages_is_read_to_its_tip(page: int) -> None:
    """Of a table that is written all the time; a page of a few records says nothing of what waits behind it."""
    clock = Clock()
    client = MemoryStreamClient(page=page, clock=clock)
    client.begin("a")
    for number in range(60 * page):
        client.put("a", f"old{number}", None, "forest")
    client.roll("a", "b")
    for number in range(60 * page):
        client.put("b", f"new{number}", None, "forest")
    clock.now += 100

    def write() -> None:
        clock.now += 0.2
        if round(clock.now * 5) % 2:  # less often than it is read
            client.put("b", "ana", None, "forest")

    client.on_read = write
    reading = Reading(memory_stream(client), {}, (), clock, clock.sleep)
    players: set[str] = set()

    def take(records: list[StreamRecord]) -> None:
        players.update(record["dynamodb"]["Keys"]["playerId"]["S"] for record in records)

    reading.until_quiet(1, take, caught_up_seconds=3)

    assert len(players) == 2 * 60 * page + 1


def test_a_closed_shard_that_yields_nothing_for_a_while_is_not_quiet() -> None:
    clock = Clock()
    client = MemoryStreamClient(clock=clock)
    client.begin("a")
    client.put("a", "ana", None, "forest")
    client.roll("a", "b")
    client.put("b", "ben", None, "forest")
    last_of_all = client.get_records
    reads = 0

    def nothing_at_first(ShardIterator: str) -> dict[str, object]:  # noqa: N803 (AWS's names)
        nonlocal reads
        reads += 1
        return {"Records": [], "NextShardIterator": ShardIterator} if reads < 40 else last_of_all(ShardIterator)

    client.get_records = nothing_at_first  # type: ignore[method-assign] # one that answers as DynamoDB may
    reading = Reading(memory_stream(client), {}, (), clock, clock.sleep)

    assert reading.until_quiet(1) == 2
