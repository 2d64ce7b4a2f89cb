"""What the commands for dead letters print, write and delete; redrive has a stream in the integration tests."""

import errno
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from headcount.__main__ import app
from headcount.dead_letters import DeadLetter, DeadLetterDirectory
from headcount.dead_letters.letter import Ending, Heading, Kept
from headcount.dead_letters.redrive import Forecast, Verdict
from headcount.dead_letters.texts import headline, incomplete, told
from headcount.dead_letters.when import moment
from headcount.model import PoisonReason
from headcount.terminal import in_one_line

pytestmark = pytest.mark.usefixtures("own_logs")

NOON = 1_700_049_600_000
RAW = b"ann\x1b]0;owned\x07\xff\tend"
LETTER = DeadLetter("events@1", "shard-1", "7".zfill(64), "7", NOON, "bad_id", "user_id is no string but a int", RAW)
OTHER = replace(LETTER, shard="shard-2", arrived_at=NOON + 60_000, reason="empty", detail="no bytes", raw=b"")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeadLetterDirectory:
    """Two letters in the directory that the settings name."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("HEADCOUNT_DEAD_LETTER_DIRECTORY", str(tmp_path))
    letters = DeadLetterDirectory(tmp_path)
    letters.put(LETTER)
    letters.put(OTHER)
    return letters


def run(*arguments: str, answer: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["dead-letters", *arguments], input=answer)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.usefixtures("store")
def test_a_list_has_a_line_per_letter_and_the_sums_and_no_bytes() -> None:
    code, out, _ = run("list")

    assert code == 0
    *lines, last = out.splitlines()
    assert sorted(lines) == [
        f"{LETTER.key}  2023-11-15 12:00:00 UTC  {len(RAW)} B  bad_id: user_id is no string but a int",
        f"{OTHER.key}  2023-11-15 12:01:00 UTC  0 B  empty: no bytes",
    ]
    assert last == "2 dead letters: bad_id 1, empty 1."


@pytest.mark.usefixtures("store")
def test_a_list_can_be_narrowed_and_cut() -> None:
    assert run("list", "--limit", "0")[1] == "2 dead letters: bad_id 1, empty 1. 2 of them are not listed.\n"
    assert run("list", "--reason", "empty")[1].splitlines()[-1] == "1 dead letter: empty 1."
    assert run("list", "--shard", "shard-1")[1].splitlines()[-1] == "1 dead letter: bad_id 1."
    assert run("list", "--since", "2023-11-15T12:00:30")[1].splitlines()[-1] == "1 dead letter: empty 1."
    assert run("list", "--since", "1h")[1] == "0 dead letters.\n"


@pytest.mark.usefixtures("store")
def test_a_list_for_machines_has_an_object_a_line() -> None:
    lines = [json.loads(line) for line in run("list", "--json")[1].splitlines()]

    assert lines[-1] == {"total": 2, "reasons": {"bad_id": 1, "empty": 1}}
    assert {
        "key": LETTER.key,
        "shard": "shard-1",
        "arrivedAt": NOON,
        "reason": "bad_id",
        "detail": LETTER.detail,
        "size": len(RAW),
        "ending": None,
        "lostFirstPart": False,
    } in lines


@pytest.mark.usefixtures("store")
def test_a_letter_is_shown_whole_and_cannot_steer_the_terminal() -> None:
    code, out, _ = run("show", LETTER.key)

    assert code == 0
    assert f"key              {LETTER.key}\n" in out
    assert "size             18 bytes in 1 part\n" in out
    assert out.endswith("raw              ann\\x1b]0;owned\\x07\\xff\\tend\n")


@pytest.mark.usefixtures("store")
def test_the_exact_bytes_go_into_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "raw"
    code, out, _ = run("show", LETTER.key, "--raw", str(file))

    assert code == 0
    assert file.read_bytes() == RAW
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"raw              written to {file}\n" in out


@pytest.mark.usefixtures("store")
def test_a_file_that_was_there_is_closed_to_others_before_the_bytes_go_into_it(tmp_path: Path) -> None:
    file = tmp_path / "raw"
    file.write_bytes(b"longer than the letter" * 9)
    file.chmod(0o644)

    assert run("show", LETTER.key, "--raw", str(file))[0] == 0
    assert file.read_bytes() == RAW
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("store")
def test_a_disk_that_is_full_is_told_with_the_name_of_the_file() -> None:
    code, _, err = run("show", LETTER.key, "--raw", "/dev/full")

    assert (code, err) == (69, "headcount: /dev/full: No space left on device.\n")


def test_what_fails_and_has_no_name_is_told_without_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), in_one_line():
        raise OSError(errno.ENOSPC, "No space left on device")

    assert capsys.readouterr().err == "headcount: No space left on device.\n"


@pytest.mark.usefixtures("store")
def test_the_exact_bytes_go_to_stdout_and_nothing_else() -> None:
    done = CliRunner().invoke(app, ["dead-letters", "show", LETTER.key, "--raw", "-"])

    assert (done.exit_code, done.stdout_bytes) == (0, RAW)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("command", ["show", "delete"])
def test_a_key_that_is_none_ends_a_command_with_one_line(command: str) -> None:
    assert run(command, "events@1/\x1b[2J/7") == (
        1,
        "",
        "headcount: There is no dead letter events@1/\\x1b[2J/7. Nothing was done.\n",
    )


def test_letters_are_deleted_by_key_once_that_is_confirmed(store: DeadLetterDirectory) -> None:
    assert run("delete", LETTER.key, answer="n\n")[0] == 1
    assert store.get(LETTER.key) is not None

    code, out, _ = run("delete", LETTER.key, answer="y\n")
    assert (code, out.splitlines()[-1]) == (0, "Deleted 1 letter.")
    assert (store.get(LETTER.key), store.get(OTHER.key) is not None) == (None, True)


def test_nothing_is_deleted_where_one_key_is_wrong(store: DeadLetterDirectory) -> None:
    assert run("delete", LETTER.key, "wrong", "--yes")[0] == 1
    assert store.get(LETTER.key) is not None


def test_letters_are_deleted_by_what_they_are(store: DeadLetterDirectory) -> None:
    assert run("delete", "--all", "--reason", "bad_utf8", "--yes")[:2] == (0, "0 dead letters.\n")
    code, out, _ = run("delete", "--all", "--reason", "empty", "--yes")

    assert (code, out) == (0, "1 dead letter: empty 1.\nDeleted 1 letter.\n")
    assert store.get(LETTER.key) is not None
    assert run("delete", "--all", "--yes")[1].splitlines()[-1] == "Deleted 1 letter."
    assert store.get(LETTER.key) is None


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("command", [("list",), ("delete", "--all"), ("redrive", "--all")])
def test_a_reason_that_is_none_is_refused_with_those_there_are(command: tuple[str, ...]) -> None:
    """No letter has it: nothing to do would pass for the truth."""
    code, _, err = run(*command, "--reason", "bad_timestmp")

    assert code == 2
    assert "bad_timestmp" in err
    assert all(reason.value in err for reason in PoisonReason)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("command", ["delete", "redrive"])
def test_an_empty_key_is_refused(command: str) -> None:
    code, _, err = run(command, "", "--yes")

    assert code == 2
    assert "a key is empty" in err


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("arguments", [(), ("key", "--all"), ("key", "--reason", "empty"), ("--reason", "empty")])
@pytest.mark.parametrize("command", ["delete", "redrive"])
def test_letters_are_chosen_by_key_or_by_what_they_are(command: str, arguments: tuple[str, ...]) -> None:
    code, _, err = run(command, *arguments, "--yes")

    assert code == 2
    assert "give keys, or --all" in err


@pytest.mark.usefixtures("store")
def test_a_directory_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADCOUNT_DEAD_LETTER_DIRECTORY", "/nowhere/at all")

    assert run("list") == (69, "", "headcount: HEADCOUNT_DEAD_LETTER_DIRECTORY=/nowhere/at all is no directory.\n")


@pytest.mark.usefixtures("store")
def test_a_file_that_cannot_be_written_is_named() -> None:
    code, _, err = run("show", LETTER.key, "--raw", "/nowhere/at all")

    assert (code, err) == (69, "headcount: /nowhere/at all: No such file or directory.\n")


NOTES = "notes\x1b[2J.json"  # of somebody else


def note(tmp_path: Path) -> str:
    """Put another make's file among the letters; returns the line that tells of it."""
    (tmp_path / NOTES).write_bytes(b'{"raw": 7}')
    return f"headcount: {tmp_path}/notes\\x1b[2J.json is no dead letter as Headcount writes it (stream: Field required)"


def test_a_file_that_is_no_letter_is_told_once_and_the_rest_is_listed(
    store: DeadLetterDirectory, tmp_path: Path
) -> None:
    line = note(tmp_path)
    code, out, err = run("list")

    assert code == 65
    assert err == f"{line}. Move it out of the directory.\n"
    assert out.splitlines()[-1] == "2 dead letters: bad_id 1, empty 1."
    assert store.get(LETTER.key) is not None


def test_a_file_that_is_no_letter_stays_and_the_rest_is_deleted(store: DeadLetterDirectory, tmp_path: Path) -> None:
    line = note(tmp_path)
    code, out, err = run("delete", "--all", "--yes")

    assert (code, out.splitlines()[-1]) == (65, "Deleted 2 letters.")
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == [NOTES]
    assert store.get(LETTER.key) is None


@pytest.mark.parametrize("command", ["show", "delete"])
def test_a_letter_that_cannot_be_read_is_told_and_nothing_is_done(
    store: DeadLetterDirectory, tmp_path: Path, command: str
) -> None:
    [file] = [file for file in tmp_path.iterdir() if "shard-1" in file.name]
    file.write_bytes(b"[]")
    keys = [LETTER.key] if command == "show" else [OTHER.key, LETTER.key, "--yes"]
    code, out, err = run(command, *keys)

    assert (code, out) == (65, "")
    assert err.startswith(f"headcount: {file} is no dead letter")
    assert err.count("\n") == 1
    assert store.get(OTHER.key) is not None


def test_a_letter_whose_deletion_was_cut_short_is_told_for_what_it_is() -> None:
    kept = Kept(LETTER, 30, tuple(range(2, 31)), Ending.SENT)
    first, second = incomplete(kept)

    assert first == "It was sent again before, and its deletion was cut short: delete it."
    assert second.startswith("Of its 30 parts these are missing: 2, 3, 4, ")
    assert second.endswith(", 20, 21 and 9 more. The bytes are not whole.")
    assert not list(incomplete(Kept(LETTER)))
    heading = Heading(LETTER.key, NOON, "bad_id", "why", 3, Ending.DELETED)
    assert headline(heading, as_json=False).endswith(
        "bad_id: why  It was given up before, and its deletion was cut short: delete it."
    )
    assert json.loads(headline(heading, as_json=True))["ending"] == "deleted"


def test_a_letter_that_has_lost_its_first_part_is_told_for_what_it_is() -> None:
    heading = Heading(LETTER.key, NOON, "bad_id", "why", 3, lost_first_part=True)

    assert headline(heading, as_json=False).endswith("bad_id: why  It has lost its first part.")
    assert json.loads(headline(heading, as_json=True))["lostFirstPart"] is True


def test_letters_whose_deletion_was_cut_short_are_told_apart_before_anything_is_sent() -> None:
    verdicts = Counter({Verdict.SENT_BEFORE: 2, Verdict.DELETED_BEFORE: 1, Verdict.INCOMPLETE: 1})
    forecast = Forecast(verdicts)

    assert [line.split("  ")[-1] for line in told(forecast, None, even_poison=True)][1:] == [
        "have lost a part: not sent",
        "were sent again before, and their deletion was cut short: not sent; delete them",
        "were given up before, and their deletion was cut short: not sent; delete them",
    ]
    assert forecast.sendable(even_poison=True) == 0


def test_since_is_a_moment_or_a_time_ago() -> None:
    now = NOON / 1000

    assert moment("90s", now) == NOON - 90_000
    assert moment("15m", now) == NOON - 900_000
    assert moment("2h", now) == NOON - 7_200_000
    assert moment("3d", now) == NOON - 3 * 86_400_000
    assert moment("2023-11-15T12:00", 0) == moment("2023-11-15T13:00:00+01:00", 0) == NOON
    assert moment("2023-11-15", 0) == int(datetime(2023, 11, 15, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize("text", ["", "soon", "15", "-5m", "99999999d", "999999d", "2023-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is neither a moment like"):
        moment(text, NOON / 1000)
