"""How every service's ``python -m`` begins and ends: settings, logs, one line for what can't work, an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from headcount.aws import Aws, UnavailableError, explained
from headcount.environment import EXIT_BAD_SETTING, load_settings
from headcount.kcl.claim import ClaimRefusedError
from headcount.kcl.java.runtime import NotBuiltError
from headcount.lifecycle import Stop
from headcount.logs import configure_logs
from headcount.tables import MalformedRowError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from headcount.settings import Settings

EXIT_UNAVAILABLE = 69

_log = structlog.get_logger()


def run_service(name: str, body: Callable[[Settings, Aws, Stop], int]) -> NoReturn:
    """Run ``body`` with settings from the environment and end the process with the exit code that it returns.

    Exits 2 on a bad setting, 69 when something in AWS is missing, refused or out of reach; both say so in one line.
    """
    if len(sys.argv) > 1:
        sys.stderr.write(f"{name}: takes no arguments; settings come from the environment: docs/configuration.md\n")
        sys.exit(EXIT_BAD_SETTING)
    settings = load_settings()
    configure_logs(name, settings.log_format, settings.log_level)
    stop = Stop()
    stop.listen()
    _log.info("starting", settings=settings.model_dump(mode="json", exclude_none=True))
    try:
        code = body(settings, Aws(settings.aws_region), stop)
    except (UnavailableError, ClaimRefusedError, NotBuiltError, MalformedRowError) as error:
        _refuse(name, str(error))
    except (BotoCoreError, ClientError) as error:
        _refuse(name, str(explained(error, "AWS")))
    sys.exit(code)


def _refuse(name: str, line: str) -> NoReturn:
    _log.error("cannot run", reason=line)
    sys.stderr.write(f"{name}: {line}\n")
    sys.exit(EXIT_UNAVAILABLE)
