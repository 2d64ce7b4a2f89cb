"""Snapshots' objects, in MiniStack's S3 and in memory: each is published once, in order, whoever dies or wakes late."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from botocore.config import Config
from mypy_boto3_s3 import S3Client

from game_map.board import Blur
from game_map.publication import DECISION, Bucket, MalformedPublicationError, OvertakenError, Publication
from game_map.snapshots import FILES, Position, Snapshot, snapshot
from headcount.demo.ministack import MiniStack
from tests.fakes.emulated import session
from tests.fakes.objects import MemoryObjects

PREFIX = "live/"
CALLS = 3  # puts of one publication


class DeadError(Exception):
    """The process was killed."""


class Mortal:
    """A client that is killed before, or after, its n-th put; and one that only pauses goes on when told to."""

    def __init__(self, client: S3Client, dies_at: int, *, put: bool) -> None:
        self._client, self._left, self._put = client, dies_at, put

    def get_object(self, **arguments: Any) -> Any:
        """As the client's."""
        return self._client.get_object(**arguments)

    def put_object(self, **arguments: Any) -> Any:
        """As the client's, until it dies."""
        self._left -= 1
        if self._left >= 0:
            return self._client.put_object(**arguments)
        if self._put and self._left == -1:
            self._client.put_object(**arguments)
        raise DeadError


class Paused:
    """A client that another publisher overtakes before its n-th put."""

    def __init__(self, client: S3Client, pauses_at: int, meanwhile: Callable[[], object]) -> None:
        self._client, self._left, self._meanwhile = client, pauses_at, meanwhile

    def get_object(self, **arguments: Any) -> Any:
        """As the client's."""
        return self._client.get_object(**arguments)

    def put_object(self, **arguments: Any) -> Any:
        """As the client's."""
        if self._left == 0:
            self._meanwhile()
        self._left -= 1
        return self._client.put_object(**arguments)


@pytest.fixture(scope="module", params=["memory", "ministack"])
def client(request: pytest.FixtureRequest) -> Iterator[S3Client]:
    """Of each in turn."""
    if request.param == "memory":
        yield cast("S3Client", MemoryObjects())
        return
    ministack: MiniStack = request.getfixturevalue("ministack")
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    made = session().client("s3", endpoint_url=ministack.endpoint_url, config=config)
    yield made
    made.close()


@pytest.fixture
def name(client: S3Client) -> str:
    """Of a new bucket."""
    name = f"snapshots-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    return name


def update(number: int) -> Publication:
    made = snapshot(f"update-{number}", number * 60_000, 60, {"forest": number}, {(None, "forest"): 1}, Blur())
    return Publication(number, made, Position("table@1", {"shard-1": str(number)}, frozenset({"shard-0"})))


def bucket(client: object, name: str) -> Bucket:
    return Bucket(cast("S3Client", client), name, PREFIX, 15)


def go_on(publisher: Bucket) -> Publication:
    """What the next publisher does: finishes the newest, and publishes one more."""
    newest, _ = publisher.newest()
    following = update(newest.number + 1 if newest else 1)
    publisher.publish(following)
    return following


def there(client: S3Client, name: str) -> dict[str, Any]:
    """The files as a reader sees them."""
    found = {}
    for file in FILES:
        answer = client.get_object(Bucket=name, Key=PREFIX + file)
        assert (answer["ContentType"], answer["CacheControl"]) == ("application/json", "public, max-age=15")
        found[file] = json.loads(answer["Body"].read())
    return found


def files(made: Snapshot) -> dict[str, Any]:
    return {file: dict(content) for file, content in made.files.items()}


def test_what_is_published_is_read_and_gone_on_from(client: S3Client, name: str) -> None:
    assert bucket(client, name).newest() == (None, False)

    for number in (1, 2, 3):
        publisher = bucket(client, name)
        assert go_on(publisher) == update(number)
        assert there(client, name) == files(update(number).snapshot)
        assert publisher.newest() == bucket(client, name).newest() == (update(number), False)


@pytest.mark.parametrize("put", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(CALLS))
@pytest.mark.parametrize("before", [0, 1])
def test_whoever_follows_a_dead_publisher_finishes_its_update_or_makes_another(
    client: S3Client, name: str, before: int, dies_at: int, put: bool
) -> None:
    for _ in range(before):
        go_on(bucket(client, name))
    with pytest.raises(DeadError):
        go_on(bucket(Mortal(client, dies_at, put=put), name))
    was_decided = dies_at > 0 or put

    follower = bucket(client, name)
    newest, was_late = follower.newest()

    assert newest == (update(before + 1) if was_decided else update(1) if before else None)
    assert was_late == (was_decided and (dies_at, put) != (CALLS - 1, True))
    if newest:
        assert there(client, name) == files(newest.snapshot)
    go_on(follower)
    assert there(client, name) == files(update(before + was_decided + 1).snapshot)


@pytest.mark.parametrize("further", [1, 3])
@pytest.mark.parametrize("pauses_at", range(CALLS))
def test_who_wakes_up_late_puts_nothing_old_over_what_is_new(
    client: S3Client, name: str, pauses_at: int, further: int
) -> None:
    go_on(bucket(client, name))

    def overtake() -> None:
        other = bucket(client, name)
        for _ in range(further):
            go_on(other)

    late = bucket(Paused(client, pauses_at, overtake), name)
    with pytest.raises(OvertakenError):
        go_on(late)

    was_decided = pauses_at > 0
    assert there(client, name) == files(update(1 + was_decided + further).snapshot)
    assert go_on(late).number == 2 + was_decided + further


@pytest.mark.parametrize("pauses_at", [0, 1])
def test_nor_does_one_who_finishes_anothers_update(client: S3Client, name: str, pauses_at: int) -> None:
    go_on(bucket(client, name))
    with pytest.raises(DeadError):
        go_on(bucket(Mortal(client, 1, put=False), name))

    late = bucket(Paused(client, pauses_at, lambda: go_on(bucket(client, name))), name)
    with pytest.raises(OvertakenError):
        late.newest()

    assert there(client, name) == files(update(3).snapshot)


def test_the_first_of_two_at_once_wins(client: S3Client, name: str) -> None:
    first, second = bucket(client, name), bucket(client, name)
    for publisher in (first, second):
        publisher.newest()

    first.publish(update(1))
    with pytest.raises(OvertakenError):
        second.publish(update(1))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"number": "one"}', b"\xff"])
def test_what_headcount_did_not_write_is_left_alone(client: S3Client, name: str, content: bytes) -> None:
    client.put_object(Bucket=name, Key=PREFIX + DECISION, Body=content)

    with pytest.raises(MalformedPublicationError, match=f"publication.json in the S3 bucket {name} is not as"):
        bucket(client, name).newest()

    assert client.get_object(Bucket=name, Key=PREFIX + DECISION)["Body"].read() == content


def test_files_that_were_there_are_taken_over(client: S3Client, name: str) -> None:
    for file in FILES:
        client.put_object(Bucket=name, Key=PREFIX + file, Body=b'{"update_id": "of the tutorial"}')

    go_on(bucket(client, name))

    assert there(client, name) == files(update(1).snapshot)
