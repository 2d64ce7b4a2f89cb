"""A worker process: the KCL daemon starts one per shard and speaks with it over stdin and stdout."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from headcount.kcl.processor import EXIT_FAILED, Handler, ShardProcessor
from headcount.kcl.protocol import Conversation
from headcount.logs import configure_logs
from headcount.process_metrics import ShardMetrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO, NoReturn

    from headcount.settings import Settings

LOG_PIPE = "KCL_CHILD_LOG"  # where a child's log lines go: the daemon would log its stderr as errors of its own

GC_THRESHOLDS = (50_000, 10, 10)
READ_AT_ONCE = 1024 * 1024  # bytes: a batch is a line of megabytes, a pipe holds 64 kB of it unless told otherwise

_log = structlog.get_logger()


def run_worker(
    service: str, settings: Settings, make_handler: Callable[[str], Handler], *, pushed: bool = False
) -> NoReturn:
    """Serve one shard until the daemon closes stdin; exits 0 then, non-zero without a checkpoint on any failure.

    ``make_handler`` is called with the shard's id; ``pushed``: see `ShardProcessor`.
    """
    # A person's Ctrl-C reaches the whole process group; the daemon's drain ends this process when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path = os.environ.get(LOG_PIPE)
    log = open(path, "w", buffering=1, encoding="utf-8") if path else sys.stderr  # noqa: SIM115, PTH123 (lives as long as the process)
    configure_logs(service, settings.log_format, settings.log_level, log)
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print goes to stderr, not into the protocol
    # What a shard's records become lives long and refers to nothing that refers back: looking it through for cycles
    # every 700 objects is a seventh of a busy worker's time.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    code = EXIT_FAILED
    try:
        processor = ShardProcessor(make_handler, ShardMetrics(), pushed=pushed)
        Conversation(_widened(sys.stdin.fileno()), protocol).serve(processor)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else EXIT_FAILED
    except Exception as error:  # noqa: BLE001 (whatever it is, it must be told and end this process)
        _log.error("worker failed", exc_info=error)
    # Not sys.exit: threads of a half-done batch must not hold a failed worker up.
    log.flush()
    os._exit(code)


def _widened(pipe: int) -> BinaryIO:
    """To read from; holds as much as may be, so that its two ends wait less often for each other."""
    with suppress(OSError, AttributeError):  # no pipe, too many wide ones, or no Linux
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, READ_AT_ONCE)
    return os.fdopen(os.dup(pipe), "rb", READ_AT_ONCE)
