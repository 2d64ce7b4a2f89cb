"""Log lines: JSON on stderr, or whatever stream is given; a player's id never in clear."""

import io
import logging

import orjson
import pytest
import structlog

from headcount.dead_letters import DeadLetter
from headcount.logs import configure_logs, hashed
from headcount.settings import LogFormat
from tests.fakes.lines import NOON, event_line, record
from tests.fakes.wiring import House

pytestmark = pytest.mark.usefixtures("own_logs")


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def lines_of(stream: io.StringIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_each_event_is_one_line_of_json() -> None:
    out = io.StringIO()
    configure_logs("consumer", LogFormat.AUTO, "INFO", out)

    structlog.get_logger().info("batch", records=3, text="a\nb ü", path=io)

    [line] = lines_of(out)
    assert line.pop("timestamp")
    assert line.pop("path") == str(io)
    assert line == {"event": "batch", "level": "info", "service": "consumer", "records": 3, "text": "a\nb ü"}


def test_an_exception_stays_within_its_line() -> None:
    out = io.StringIO()
    configure_logs("consumer", LogFormat.JSON, "INFO", out)

    structlog.get_logger().error("failed", exc_info=ValueError("why"))

    [line] = lines_of(out)
    assert "ValueError: why" in str(line["exception"])


def test_what_is_below_the_level_is_not_logged() -> None:
    out = io.StringIO()
    configure_logs("consumer", LogFormat.JSON, "WARNING", out)

    structlog.get_logger().info("no")
    structlog.get_logger().warning("yes")

    assert [line["event"] for line in lines_of(out)] == ["yes"]


def test_libraries_warnings_have_the_same_shape_and_their_chatter_is_dropped() -> None:
    out = io.StringIO()
    configure_logs("consumer", LogFormat.JSON, "DEBUG", out)

    logging.getLogger("botocore.endpoint").info("chatter")
    logging.getLogger("botocore.endpoint").warning("retrying %s", "soon")

    [line] = lines_of(out)
    assert (line["event"], line["level"], line["service"]) == ("retrying soon", "warning", "consumer")


@pytest.mark.parametrize(
    ("log_format", "out", "is_json"),
    [
        (LogFormat.AUTO, io.StringIO(), True),
        (LogFormat.AUTO, Terminal(), False),
        (LogFormat.JSON, Terminal(), True),
        (LogFormat.CONSOLE, io.StringIO(), False),
    ],
)
def test_auto_is_for_people_on_a_terminal_only(log_format: LogFormat, out: io.StringIO, is_json: bool) -> None:
    configure_logs("consumer", log_format, "INFO", out)

    structlog.get_logger().info("hello")

    assert out.getvalue().startswith("{") is is_json
    assert "hello" in out.getvalue()


def test_by_default_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("consumer", LogFormat.JSON, "INFO")

    structlog.get_logger().info("hello")

    out, err = capsys.readouterr()
    assert out == ""
    assert orjson.loads(err)["event"] == "hello"


def test_a_hashed_player_is_the_same_for_the_same_and_is_not_the_id() -> None:
    assert hashed("ann") == hashed("ann") != hashed("bob")
    assert "ann" not in hashed("ann")
    assert len(hashed("ü" * 1000)) == 12


def test_no_line_of_a_batch_shows_a_player() -> None:
    """At the most talkative level; a poison record's detail is in the line, too."""
    out = io.StringIO()
    configure_logs("consumer", LogFormat.JSON, "DEBUG", out)
    house = House()
    handler = house.consumer("shard-1")
    handler.start(None)

    good = event_line("secret-player", "l1", NOON)
    handler.handle([record(1, good, NOON), record(2, good + b"\t", NOON)], caught_up=True)
    handler.settle(everything=True)

    [letter] = house.letters.letters.values()
    assert isinstance(letter, DeadLetter)
    assert "secret-player" not in out.getvalue() + letter.detail
    assert hashed("secret-player") in out.getvalue()


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.CONSOLE])
def test_a_traceback_shows_no_player(log_format: LogFormat) -> None:
    """A failed batch is logged with its exception, whose frames hold events."""
    out = io.StringIO()
    configure_logs("consumer", log_format, "INFO", out)

    def write(player: str) -> None:
        raise ConnectionError(f"{len(player)} bytes")

    try:
        write("secret-player".upper())
    except ConnectionError as error:
        structlog.get_logger().error("record processor failed", exc_info=error)

    assert "ConnectionError" in out.getvalue()
    assert "SECRET-PLAYER" not in out.getvalue()


class _FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, f"no space for {len(text)} characters")


def test_a_line_that_cant_be_written_is_lost_and_nothing_else() -> None:
    configure_logs("consumer", LogFormat.JSON, "INFO", _FullDisk())
    structlog.get_logger().info("lost")
