"""Dead letters as files: whole or not at all, and checked at the start."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from headcount.aws import Aws, UnavailableError
from headcount.dead_letters import DeadLetter, DeadLetterDirectory, DeadLetterTable, dead_letters, verify_directory
from headcount.dead_letters.letter import Kept, Selection
from headcount.settings import Settings
from headcount.tables import MalformedRowError

LETTER = DeadLetter("events@1", "shardId-000", "7".zfill(64), "7", 5, "bad_utf8", "byte 0 is no UTF-8", b"\xff\x00")


def test_a_letter_is_a_file_that_a_person_can_read(tmp_path: Path) -> None:
    DeadLetterDirectory(tmp_path).put(LETTER)

    [file] = tmp_path.iterdir()
    assert file.name == f"events@1_shardId-000_{'7'.zfill(64)}.json"
    assert orjson.loads(file.read_bytes()) == {
        "stream": "events@1",
        "shard": "shardId-000",
        "position": "7".zfill(64),
        "sequenceNumber": "7",
        "arrivedAt": 5,
        "reason": "bad_utf8",
        "detail": "byte 0 is no UTF-8",
        "raw": "/wA=",
    }


def test_nothing_is_left_of_an_unfinished_write(tmp_path: Path) -> None:
    (tmp_path / f"{LETTER.key.replace('/', '_')}.{os.getpid()}.tmp").write_bytes(b"half a let")

    DeadLetterDirectory(tmp_path).put(LETTER)

    assert [file.suffix for file in tmp_path.iterdir()] == [".json"]


def test_a_letter_from_before_files_told_the_position_is_read(tmp_path: Path) -> None:
    letter = replace(LETTER, position=f"{'7'.zfill(64)}.0000000001")
    directory = DeadLetterDirectory(tmp_path)
    directory.put(letter)
    [file] = tmp_path.iterdir()
    content = orjson.loads(file.read_bytes())
    del content["position"]
    file.write_bytes(orjson.dumps(content))

    assert directory.get(letter.key) == Kept(letter)
    assert [heading.key for heading in directory.headings(Selection())] == [letter.key]


def test_what_is_no_letter_is_named_and_what_is_unfinished_is_left_alone(tmp_path: Path) -> None:
    directory = DeadLetterDirectory(tmp_path)
    directory.put(LETTER)
    (tmp_path / "x.123.tmp").write_bytes(b"half a let")
    assert [heading.key for heading in directory.headings(Selection())] == [LETTER.key]

    (tmp_path / "notes.json").write_bytes(b"{}")
    with pytest.raises(MalformedRowError, match=r"/notes.json is no dead letter as Headcount writes it \(stream: "):
        list(directory.headings(Selection()))


GOOD = {
    "stream": "events@1",
    "shard": "shardId-000",
    "position": "8",
    "sequenceNumber": "8",
    "arrivedAt": 5,
    "reason": "empty",
    "detail": "no bytes",
    "raw": "",
}
ODD_CONTENTS: dict[str, object] = {
    **{f"{name} is a number": {**GOOD, name: 8} for name in GOOD if name != "arrivedAt"},
    **{f"{name} is a list": {**GOOD, name: ["x"]} for name in GOOD},
    **{f"{name} is missing": {n: v for n, v in GOOD.items() if n != name} for name in GOOD if name != "position"},
    "the time is a text": {**GOOD, "arrivedAt": "5"},
    "the time is true": {**GOOD, "arrivedAt": True},
    "the time is beyond any calendar": {**GOOD, "arrivedAt": 10**18},
    "the time is negative": {**GOOD, "arrivedAt": -1},
    "the bytes are no base64": {**GOOD, "raw": "?"},
    "the shard has a slash": {**GOOD, "shard": "a/b"},
    "another letter's name": {**GOOD, "position": "9"},
    "a list": [],
    "a number": 7,
    "nothing": None,
}


@pytest.mark.parametrize(
    "content",
    [*(orjson.dumps(content) for content in ODD_CONTENTS.values()), b"", b"{", b"\xff", b"[" * 100_000],
    ids=[*ODD_CONTENTS, "empty", "half", "no text", "deep"],
)
def test_a_file_of_another_make_is_named_and_the_rest_goes_on(tmp_path: Path, content: bytes) -> None:
    directory = DeadLetterDirectory(tmp_path)
    directory.put(LETTER)
    file = tmp_path / "events@1_shardId-000_8.json"
    file.write_bytes(content)
    told: list[MalformedRowError] = []

    assert [heading.key for heading in directory.headings(Selection(), told.append)] == [LETTER.key]
    assert [str(error).startswith(f"{file} is no dead letter") for error in told] == [True]
    with pytest.raises(MalformedRowError, match="Move it out of the directory"):
        directory.get("events@1/shardId-000/8")
    with pytest.raises(MalformedRowError, match="Move it out of the directory"):
        directory.delete("events@1/shardId-000/8")
    assert file.exists()


def test_what_is_no_file_or_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    directory = DeadLetterDirectory(tmp_path)
    directory.put(LETTER)
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")  # to read it would wait for ever
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "gone.json").symlink_to("nowhere")
    told: list[MalformedRowError] = []

    assert [heading.key for heading in directory.headings(Selection(), told.append)] == [LETTER.key]
    assert sorted(str(error).removeprefix(f"{tmp_path}/").split(".json")[0] for error in told) == [
        "folder",
        "loop",
        "pipe",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    directory = DeadLetterDirectory(tmp_path)
    directory.put(LETTER)
    (tmp_path / "secret.json").touch(mode=0)
    told: list[MalformedRowError] = []

    assert [heading.key for heading in directory.headings(Selection(), told.append)] == [LETTER.key]
    assert "it can't be read: Permission denied" in str(told[0])


def test_a_key_leads_nowhere_but_into_the_directory(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    DeadLetterDirectory(tmp_path).put(LETTER)

    assert DeadLetterDirectory(inside).get(f"../{LETTER.key}") is None
    assert not DeadLetterDirectory(inside).delete(f"../{LETTER.key}")


def test_the_settings_choose_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = Aws("us-east-1").dynamodb

    assert isinstance(dead_letters(Settings(dead_letter_directory=tmp_path), client), DeadLetterDirectory)
    assert isinstance(dead_letters(Settings(), client), DeadLetterTable)
    client.close()


def test_a_directory_is_made_and_left_empty(tmp_path: Path) -> None:
    verify_directory(tmp_path / "a" / "b")

    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_named_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        UnavailableError, match=r"^HEADCOUNT_DEAD_LETTER_DIRECTORY=.*/file/b can't be written to: Not a"
    ):
        verify_directory(tmp_path / "file" / "b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)

    with pytest.raises(UnavailableError, match="Permission denied"):
        verify_directory(tmp_path)
