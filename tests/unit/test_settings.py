"""Settings from the environment; a bad one is one line that a person can act on, and exit 2."""

import os
from pathlib import Path

import pytest

from headcount.environment import EXIT_BAD_SETTING, load_settings
from headcount.settings import LogFormat, Settings, variable


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(("HEADCOUNT_", "AWS_")):
            monkeypatch.delenv(name)


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr with which loading ends."""
    with pytest.raises(SystemExit) as end:
        load_settings()
    assert end.value.code == EXIT_BAD_SETTING == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err


# A variable, a bad value, and a word of what is allowed.
BAD = [
    ("HEADCOUNT_METRICS_PORT", "http", "integer"),
    ("HEADCOUNT_METRICS_PORT", "65536", "65535"),
    ("HEADCOUNT_METRICS_PORT", "-1", "0"),
    ("HEADCOUNT_METRICS_PORT", "1.5", "integer"),
    ("HEADCOUNT_IDLE_TIMEOUT_SECONDS", "5 minutes", "number"),
    ("HEADCOUNT_IDLE_TIMEOUT_SECONDS", "0", "greater than or equal to 0.001"),
    ("HEADCOUNT_IDLE_TIMEOUT_SECONDS", "nan", "finite"),
    ("HEADCOUNT_IDLE_TIMEOUT_SECONDS", "inf", "finite"),
    ("HEADCOUNT_REFRESH_SECONDS", "86401", "86400"),
    ("HEADCOUNT_ALLOWED_LATENESS_SECONDS", "-0.1", "0"),
    ("HEADCOUNT_EVENTS_STREAM", "my stream", "[A-Za-z0-9_.-]"),
    ("HEADCOUNT_PLAYER_TABLE", "ab", "{3,255}"),
    ("HEADCOUNT_PLAYER_TABLE", "line\nbreak", "[A-Za-z0-9_.-]"),
    ("HEADCOUNT_CONTEXT_SCHEMA", "level_context", "/"),
    ("HEADCOUNT_INITIAL_POSITION", "latest", "'TRIM_HORIZON' or 'LATEST'"),
    ("HEADCOUNT_LOG_FORMAT", "xml", "'auto', 'json' or 'console'"),
    ("HEADCOUNT_LOG_LEVEL", "info", "DEBUG|INFO|WARNING|ERROR"),
    ("HEADCOUNT_WORKER_ID", "a worker", "[A-Za-z0-9_.:/-]"),
    ("HEADCOUNT_POLL_MILLISECONDS", "100", "200"),
    ("HEADCOUNT_ENHANCED_FAN_OUT", "perhaps", "boolean"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), BAD)
def test_a_bad_value_is_named_with_its_variable_and_what_is_allowed(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)

    line = refusal(capsys)

    assert name in line
    assert repr(value) in line
    assert allowed in line.partition("not valid: ")[2]


def test_an_unknown_variable_is_refused_with_a_guess(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADCOUNT_METRICS_PROT", "1")

    assert refusal(capsys) == (
        "headcount: HEADCOUNT_METRICS_PROT is no setting of Headcount. Did you mean HEADCOUNT_METRICS_PORT?\n"
    )


def test_an_unknown_variable_is_refused_even_if_empty(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADCOUNT_QQQQ", "")

    assert refusal(capsys).startswith("headcount: HEADCOUNT_QQQQ is no setting of Headcount.")


def test_two_tables_of_one_name_are_refused_by_their_variables_and_the_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADCOUNT_PLAYER_TABLE", "Same")
    monkeypatch.setenv("HEADCOUNT_LEVEL_TABLE", "Same")

    line = refusal(capsys)

    assert "same name" in line
    assert "Same" in line
    assert "HEADCOUNT_PLAYER_TABLE" in line
    assert "HEADCOUNT_LEVEL_TABLE" in line


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("HEADCOUNT_APPLICATION", "a" * 120, "Kinesis bears 119"),
        ("HEADCOUNT_STALL_SECONDS", "89", "give 90 or more"),
    ],
)
def test_what_does_not_go_with_fan_out_is_refused(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    load_settings()

    monkeypatch.setenv("HEADCOUNT_ENHANCED_FAN_OUT", "true")
    line = refusal(capsys)

    assert all(word in line for word in (name, value, "HEADCOUNT_ENHANCED_FAN_OUT", allowed))


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = load_settings()

    assert settings.player_table == "PlayerState"
    assert (settings.level_table, settings.transitions_table) == ("LevelState", "Transitions")
    assert (settings.idle_timeout_ms, settings.allowed_lateness_ms, settings.max_silence_ms) == (
        300_000,
        10_000,
        600_000,
    )
    assert settings.refresh_seconds == 60
    assert (settings.context_schema, settings.player_field) == ("com.codecombat/level_context", "user_id")
    assert settings.app_ids == frozenset()


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(variable(name), "")

    assert load_settings() == Settings()
    assert load_settings().metrics_port == 9464
    assert load_settings().dead_letter_directory is None


@pytest.mark.parametrize("blank", [" ", "\t \n"])
def test_a_directory_of_blanks_is_refused(
    blank: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADCOUNT_DEAD_LETTER_DIRECTORY", blank)

    with pytest.raises(SystemExit) as ended:
        load_settings()

    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"headcount: HEADCOUNT_DEAD_LETTER_DIRECTORY={blank!r} is not valid: a path that is only blanks names no "
        "directory; leave it empty for the table.\n"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", set()), ("game", {"game"}), ("game, web ,,game", {"game", "web"}), (" , ", set()), ("a b", {"a b"})],
)
def test_app_ids_are_split_at_commas(value: str, expected: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADCOUNT_APP_IDS", value)

    assert load_settings().app_ids == expected


def test_the_region_is_awss_own_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert load_settings().aws_region == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert load_settings().aws_region == "us-east-1"


def test_values_are_read_as_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADCOUNT_IDLE_TIMEOUT_SECONDS", "0.5")
    monkeypatch.setenv("HEADCOUNT_ALLOWED_LATENESS_SECONDS", "0")
    monkeypatch.setenv("HEADCOUNT_DEAD_LETTER_DIRECTORY", "/tmp/letters")  # noqa: S108 (never made)
    monkeypatch.setenv("HEADCOUNT_LOG_FORMAT", "json")
    monkeypatch.setenv("UNRELATED", "1")

    settings = load_settings()

    assert (settings.idle_timeout_ms, settings.allowed_lateness_ms) == (500, 0)
    assert settings.dead_letter_directory == Path("/tmp/letters")  # noqa: S108
    assert settings.log_format is LogFormat.JSON
