"""Counting that never harms what is counted."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from types import TracebackType

_log = structlog.get_logger()


class Harmless(AbstractContextManager[None]):
    """Ends a block at its first error, which is logged: as a warning once, afterwards for debugging."""

    def __init__(self, what: str) -> None:
        self._what, self._told = what, False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        # AWS has done the call when its answer is counted. An error out of the count would tell the caller that the
        # call failed: it would write again, or stop with its work done. A figure that is missing harms nobody.
        if not isinstance(error, Exception):
            return False
        tell = _log.debug if self._told else _log.warning
        self._told = True
        tell("can't count, going on", what=self._what, error=type(error).__name__, reason=str(error))
        return True
