"""Dead letters: the same in memory, in a directory and in a table. Rule 4."""

import base64
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.dead_letters import DeadLetter, DeadLetterDirectory, DeadLetters, DeadLetterTable
from headcount.dead_letters.letter import Ending, Heading, Kept, Selection
from headcount.settings import Settings
from headcount.tables import MalformedRowError
from tests.contract.breaking import CrashError, breaking_in
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


# --- Reading back -----------------------------------------------------------------------------------------------------

EVERYTHING = Selection()


def keys(store: Store, selection: Selection = EVERYTHING) -> list[str]:
    return sorted(heading.key for heading in store.letters.headings(selection))


@pytest.mark.parametrize("raw", RAW, ids=[f"{len(raw)} bytes" for raw in RAW])
def test_a_letter_is_read_back_to_the_byte(store: Store, raw: bytes) -> None:
    one = letter(raw, sub=".0000000001")
    store.letters.put(letter(b"another", sequence="8"))
    store.letters.put(one)

    kept = store.letters.get(one.key)

    assert kept is not None
    assert (kept.letter, kept.missing) == (one, ())
    [heading] = [found for found in store.letters.headings(EVERYTHING) if found.key == one.key]
    assert heading == Heading(one.key, 5, "bad_utf8", "byte 0 is no UTF-8", len(raw))


def test_what_is_not_there_is_not_found(store: Store) -> None:
    assert keys(store) == []
    assert store.letters.get("events@1/shard-1/7") is None
    assert store.letters.get("no key") is None
    assert not store.letters.delete("events@1/shard-1/7")


def test_a_letter_that_is_deleted_is_gone_with_all_its_parts(store: Store) -> None:
    first, second = letter(b"x" * 700_001), letter(b"second", sequence="8")
    store.letters.put(first)
    store.letters.put(second)

    assert store.letters.delete(first.key)

    assert store.letters.get(first.key) is None
    assert not store.letters.delete(first.key)
    assert store.read() == {("shard-1", "8"): ("bad_utf8", b"second")}


def test_letters_are_selected_by_reason_shard_and_arrival(store: Store) -> None:
    letters = [
        replace(letter(shard=shard, sequence=str(at)), reason=reason, arrived_at=at)
        for at, (reason, shard) in enumerate(itertools.product(("bad_id", "empty"), ("shard-1", "shard-2")))
    ]
    for one in letters:
        store.letters.put(one)

    def selected(selection: Selection) -> set[int]:
        return {heading.arrived_at for heading in store.letters.headings(selection)}

    assert selected(EVERYTHING) == {0, 1, 2, 3}
    assert selected(Selection(reason="empty")) == {2, 3}
    assert selected(Selection(shard="shard-1")) == {0, 2}
    assert selected(Selection(since=1)) == {1, 2, 3}
    assert selected(Selection(since=1, until=2)) == {1, 2}
    assert selected(Selection(reason="bad_id", shard="shard-2", since=0, until=9)) == {1}
    assert selected(Selection(reason="bad_utf8")) == set()


def test_letters_may_be_deleted_while_they_are_listed(store: Store) -> None:
    """Those of several pages of a table."""
    letters = [letter(b"x" * 300_000, sequence=str(number)) for number in range(12)]
    for one in letters:
        store.letters.put(one)

    deleted = [heading.key for heading in store.letters.headings(EVERYTHING) if store.letters.delete(heading.key)]

    assert sorted(deleted) == sorted(one.key for one in letters)
    assert store.read() == {}


def test_a_part_that_is_missing_is_told(client: DynamoDBClient, settings: Settings) -> None:
    """Its write failed half-way, or its time was up before the others'."""
    make_tables(client, settings, settings.dead_letter_table)
    table = DeadLetterTable(client, settings.dead_letter_table)
    one = letter(b"a" * 350_000 + b"b" * 350_000 + b"c")
    table.put(one)
    client.delete_item(TableName=settings.dead_letter_table, Key={"record": {"S": one.key}, "part": {"S": "0001"}})

    kept = table.get(one.key)

    assert kept is not None
    assert (kept.parts, kept.missing) == (3, (2,))
    assert kept.letter.raw == b"a" * 350_000 + b"c"
    assert table.delete(one.key)
    assert table.get(one.key) is None


def test_a_letter_without_its_first_part_is_listed_once_as_such_and_deleted_with_the_rest(
    client: DynamoDBClient, settings: Settings
) -> None:
    """Its raw bytes are personal data: nobody must overlook them."""
    make_tables(client, settings, settings.dead_letter_table)
    table = DeadLetterTable(client, settings.dead_letter_table)
    lost, good = letter(b"x" * 1_000_000), letter(b"y" * 700_001, sequence="8")
    for one in (lost, good):
        table.put(one)
    client.delete_item(TableName=settings.dead_letter_table, Key={"record": {"S": lost.key}, "part": {"S": "0000"}})

    for selection in (EVERYTHING, Selection(reason="bad_utf8", shard="shard-1", since=0, until=9)):
        found = sorted(table.headings(selection), key=lambda heading: heading.key)
        assert found == [
            Heading(lost.key, 5, "bad_utf8", "byte 0 is no UTF-8", 1_000_000, lost_first_part=True),
            Heading(good.key, 5, "bad_utf8", "byte 0 is no UTF-8", 700_001),
        ]
    assert list(table.headings(Selection(reason="bad_id"))) == []
    kept = table.get(lost.key)
    assert kept is not None
    assert kept.missing == (1,)

    assert all(table.delete(heading.key) for heading in table.headings(EVERYTHING))
    assert client.scan(TableName=settings.dead_letter_table)["Items"] == []


@pytest.mark.parametrize("part", ["-1", "1", "00001", "+001", " 001", "\u0660\u0660\u0660\u0661"])
def test_a_part_that_is_written_otherwise_is_refused_by_name(
    client: DynamoDBClient, settings: Settings, part: str
) -> None:
    make_tables(client, settings, settings.dead_letter_table)
    table = DeadLetterTable(client, settings.dead_letter_table)
    one = letter(b"x" * 350_001)
    table.put(one)
    [row] = [item for item in client.scan(TableName=settings.dead_letter_table)["Items"] if item["part"]["S"] == "0001"]
    client.put_item(TableName=settings.dead_letter_table, Item=row | {"part": {"S": part}, "raw": {"B": b"?"}})

    odd = f"with record {re.escape(one.key)} and part {re.escape(part)} is not as"
    with pytest.raises(MalformedRowError, match=odd):
        table.get(one.key)
    told: list[MalformedRowError] = []
    assert [heading.key for heading in table.headings(EVERYTHING, told.append)] == [one.key]
    assert [bool(re.search(odd, str(error))) for error in told] == [True]
    assert table.delete(one.key)
    assert client.scan(TableName=settings.dead_letter_table)["Items"] == []


@pytest.mark.parametrize("part", ["0000", "0001"])
def test_a_letter_whose_bytes_are_not_as_many_as_they_were_is_refused_by_name(
    client: DynamoDBClient, settings: Settings, part: str
) -> None:
    make_tables(client, settings, settings.dead_letter_table)
    table = DeadLetterTable(client, settings.dead_letter_table)
    one = letter(b"x" * 350_001)
    table.put(one)
    client.update_item(
        TableName=settings.dead_letter_table,
        Key={"record": {"S": one.key}, "part": {"S": part}},
        UpdateExpression="SET #raw = :raw",
        ExpressionAttributeNames={"#raw": "raw"},
        ExpressionAttributeValues={":raw": {"B": b"more"}},
    )

    with pytest.raises(MalformedRowError, match=f"with record {re.escape(one.key)} and part 0000 is not .*size is"):
        table.get(one.key)


@pytest.mark.parametrize("why", Ending)
def test_a_deletion_that_is_cut_short_is_told_for_what_it_is_and_can_be_ended(
    client: DynamoDBClient, settings: Settings, why: Ending
) -> None:
    """Before each write in turn: the letter is untouched, or says why it goes. It never only lacks a part."""
    make_tables(client, settings, settings.dead_letter_table)
    table = DeadLetterTable(client, settings.dead_letter_table)
    one = letter(b"a" * 350_000 + b"b" * 350_000 + b"c")
    seen = []
    for last in itertools.count():
        table.put(one)
        writes = itertools.count()

        def crash(model: Any, writes: Iterator[int] = writes, last: int = last, **_: object) -> None:
            if model.name in {"UpdateItem", "DeleteItem"} and next(writes) == last:
                raise CrashError

        with breaking_in(client, "before-call", crash):
            try:
                table.delete(one.key, why)
            except CrashError:
                pass
            else:
                break
        kept = table.get(one.key)
        assert kept is not None
        [heading] = table.headings(EVERYTHING)
        assert heading.ending == kept.ending
        seen.append((kept.missing, kept.ending))
        assert table.delete(one.key)
        assert table.get(one.key) is None

    assert seen == [((), None), ((), why), ((3,), why), ((2, 3), why)]


def test_that_a_letter_was_sent_is_not_forgotten_by_a_second_deletion(
    client: DynamoDBClient, settings: Settings
) -> None:
    make_tables(client, settings, settings.dead_letter_table)
    table = DeadLetterTable(client, settings.dead_letter_table)
    one = letter(b"x" * 350_001)
    table.put(one)

    def crash(model: Any, **_: object) -> None:
        if model.name == "DeleteItem":
            raise CrashError

    for why in (Ending.SENT, Ending.DELETED):
        with breaking_in(client, "before-call", crash), pytest.raises(CrashError):
            table.delete(one.key, why)
    kept = table.get(one.key)
    assert kept is not None
    assert kept.ending is Ending.SENT

    table.put(one)  # a replay writes it anew
    assert table.get(one.key) == Kept(one, 2)


def test_a_row_of_another_make_is_refused_by_name(client: DynamoDBClient, settings: Settings) -> None:
    make_tables(client, settings, settings.dead_letter_table)
    row = {"record": {"S": "no key"}, "part": {"S": "0000"}}
    client.put_item(TableName=settings.dead_letter_table, Item=row)
    table = DeadLetterTable(client, settings.dead_letter_table)

    told = f"The row of DynamoDB table {settings.dead_letter_table} with record no key and part 0000 is not as"
    with pytest.raises(MalformedRowError, match=told):
        list(table.headings(EVERYTHING))
    with pytest.raises(MalformedRowError, match=told):
        table.get("no key")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("parts", {"N": "1000000000"}),
        ("parts", {"N": "1"}),
        ("parts", {"N": "-1"}),
        ("parts", {"S": "2"}),
        ("arrivedAt", {"N": "99999999999999999999"}),
        ("arrivedAt", {"N": "-1"}),
        ("size", {"N": "99999999999999999999"}),
        ("reason", {"N": "1"}),
        ("ending", {"S": "soon"}),
    ],
    ids=lambda value: str(value).translate({ord(char): None for char in "{}' "}),
)
def test_a_row_with_an_odd_value_is_refused_at_once_and_the_rest_goes_on(
    client: DynamoDBClient, settings: Settings, attribute: str, value: Any
) -> None:
    make_tables(client, settings, settings.dead_letter_table)
    table = DeadLetterTable(client, settings.dead_letter_table)
    good, odd = letter(), letter(b"x" * 350_001, sequence="8")
    for one in (good, odd):
        table.put(one)
    client.update_item(
        TableName=settings.dead_letter_table,
        Key={"record": {"S": odd.key}, "part": {"S": "0000"}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": attribute},
        ExpressionAttributeValues={":value": value},
    )

    told: list[MalformedRowError] = []
    found = [heading.key for heading in table.headings(EVERYTHING, told.append)]
    assert good.key in found
    assert len(found) + len(told) == 2
    with pytest.raises(MalformedRowError, match=f"with record {re.escape(odd.key)} and part 0000"):
        table.get(odd.key)
    assert table.delete(odd.key)


def test_a_letter_expires_when_the_setting_says(client: DynamoDBClient, settings: Settings) -> None:
    make_tables(client, settings, settings.dead_letter_table)
    DeadLetterTable(client, settings.dead_letter_table, 7200, wall=lambda: 1000.9).put(letter())

    [item] = client.scan(TableName=settings.dead_letter_table)["Items"]
    assert item["expiresAt"] == {"N": "8200"}
