"""Dead letters: the same in memory, in a directory and in a table. Rule 4."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.dead_letters import DeadLetter, DeadLetterDirectory, DeadLetters, DeadLetterTable
from headcount.settings import Settings
from tests.contract.conftest import EMULATORS, client_of
from tests.fakes.emulated import make_tables
from tests.fakes.letters import MemoryDeadLetters

Read = Callable[[], dict[tuple[str, str], tuple[str, bytes]]]
RAW = [b"", b"\x00", bytes(range(256)), b"{}", "ünïcødé\t🎮".encode(), b"x" * 350_000, b"y" * 350_001, b"z" * 1_048_576]


@dataclass(frozen=True)
class Store:
    """A store, and its content by shard and sequence number: reason and bytes."""

    letters: DeadLetters
    read: Read


@pytest.fixture(params=("memory", "directory", *EMULATORS))
def store(
    request: pytest.FixtureRequest, clients: dict[str, DynamoDBClient], settings: Settings, tmp_path: Path
) -> Store:
    """An empty one."""
    if request.param == "memory":
        memory = MemoryDeadLetters()
        return Store(memory, lambda: {(x.shard, x.sequence_number): (x.reason, x.raw) for x in memory.letters.values()})
    if request.param == "directory":
        folder = tmp_path / "not" / "there yet"
        return Store(DeadLetterDirectory(folder), lambda: files_in(folder))
    client = client_of(request.param, request, clients)
    make_tables(client, settings, settings.dead_letter_table)
    table = settings.dead_letter_table
    return Store(DeadLetterTable(client, table), lambda: rows_in(client, table))


def files_in(folder: Path) -> dict[tuple[str, str], tuple[str, bytes]]:
    found = {}
    for file in folder.iterdir():
        assert file.suffix == ".json"
        letter = orjson.loads(file.read_bytes())
        found[letter["shard"], letter["sequenceNumber"]] = (letter["reason"], base64.b64decode(letter["raw"]))
    return found


def rows_in(client: DynamoDBClient, table: str) -> dict[tuple[str, str], tuple[str, bytes]]:
    found: dict[tuple[str, str], tuple[str, bytes]] = {}
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = sorted((item for page in pages for item in page["Items"]), key=lambda item: item["part"]["S"])
    for item in items:
        key = item["shard"]["S"], item["sequenceNumber"]["S"]
        found[key] = item["reason"]["S"], found.get(key, ("", b""))[1] + item["raw"]["B"]
    for item in items:
        assert int(item["parts"]["N"]) == sum(1 for other in items if other["record"] == item["record"])
    return found


def letter(raw: bytes = b"raw", shard: str = "shard-1", sequence: str = "7", sub: str = "") -> DeadLetter:
    return DeadLetter("events@1", shard, f"{sequence:>064}{sub}", sequence, 5, "bad_utf8", "byte 0 is no UTF-8", raw)


@pytest.mark.parametrize("raw", RAW, ids=[f"{len(raw)} bytes" for raw in RAW])
def test_a_record_is_kept_to_the_byte(store: Store, raw: bytes) -> None:
    store.letters.put(letter(raw))

    assert store.read() == {("shard-1", "7"): ("bad_utf8", raw)}


def test_a_replay_writes_it_once(store: Store) -> None:
    for _ in range(3):
        store.letters.put(letter(b"x" * 700_001))

    assert store.read() == {("shard-1", "7"): ("bad_utf8", b"x" * 700_001)}


def test_letters_of_several_shards_and_places_are_apart(store: Store) -> None:
    for shard in ("shard-1", "shard-2"):
        for sequence in ("7", "8"):
            store.letters.put(letter(f"{shard} {sequence}".encode(), shard, sequence))

    assert len(store.read()) == 4
    assert store.read()["shard-2", "7"] == ("bad_utf8", b"shard-2 7")


def test_the_records_of_one_aggregated_record_are_apart(tmp_path: Path) -> None:
    """They share a sequence number."""
    directory = DeadLetterDirectory(tmp_path)
    directory.put(letter(b"first"))
    directory.put(letter(b"second", sub=".0000000001"))

    assert len(list(tmp_path.iterdir())) == 2


def test_a_table_that_is_missing_raises(client: DynamoDBClient, settings: Settings) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        DeadLetterTable(client, settings.dead_letter_table).put(letter())


def test_a_directory_that_cannot_be_made_raises(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="Not a directory"):
        DeadLetterDirectory(tmp_path / "file" / "inside").put(letter())
