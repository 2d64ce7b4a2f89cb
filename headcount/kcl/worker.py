"""A worker process: the KCL daemon starts one per shard and speaks with it over stdin and stdout."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from headcount.kcl.processor import EXIT_FAILED, Handler, ShardProcessor
from headcount.kcl.protocol import Conversation
from headcount.logs import configure_logs
from headcount.process_metrics import ShardMetrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from headcount.settings import Settings

LOG_PIPE = "KCL_CHILD_LOG"  # where a child's log lines go: the daemon would log its stderr as errors of its own

GC_THRESHOLDS = (50_000, 10, 10)

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
        Conversation(sys.stdin.buffer, protocol).serve(processor)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else EXIT_FAILED
    except Exception as error:  # noqa: BLE001 (whatever it is, it must be told and end this process)
        _log.error("worker failed", exc_info=error)
    # Not sys.exit: threads of a half-done batch must not hold a failed worker up.
    log.flush()
    os._exit(code)
