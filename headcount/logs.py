"""Structured logs on stderr: JSON lines for machines, colours on a terminal. stdout belongs to the KCL's protocol."""

import hashlib
import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import orjson
import structlog

from headcount.settings import LogFormat

_BOTOCORE_LOGGERS = ("botocore", "boto3", "urllib3")


def configure_logs(service: str, log_format: LogFormat, level: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process to ``stream`` (stderr), each naming ``service``."""
    out: TextIO = cast("TextIO", _Lossy(sys.stderr if stream is None else stream))
    console = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and out.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback
        )  # the other shows locals: players
        if console
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not console:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # What libraries say through the standard library: warnings and worse, in the same shape.
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in _BOTOCORE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Lossy:
    """A stream whose failures (a full disk) are not its writer's: a line is lost, the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError):
            self._stream.flush()

    def isatty(self) -> bool:
        """As the stream says."""
        return self._stream.isatty()


def _to_json(value: object, **_: object) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def hashed(player: str) -> str:
    """What a log line shows of a player id: the same for the same player, and not the id."""
    return hashlib.sha256(player.encode()).hexdigest()[:12]
