"""The loop that looks at the tables once a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from headcount.endpoints import Health
from headcount.tables import MalformedRowError

if TYPE_CHECKING:
    from collections.abc import Callable

    from game_map.board import Board
    from game_map.reading import Reading
    from headcount.lifecycle import Stop
    from headcount.metrics import MapMetrics

LOOK_SECONDS = 1.0
BLIND_SECONDS = 10.0  # without a look that went through it is not ready
STILL_SECONDS = 120.0  # beyond what botocore takes for its tries

_log = structlog.get_logger()


class Loop:
    """Looks, and has each board published, until the stop is asked for."""

    def __init__(
        self,
        reading: Reading,
        publish: Callable[[Board], None],
        metrics: MapMetrics,
        stop: Stop,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reading, self._publish, self._metrics, self._stop = reading, publish, metrics, stop
        self._monotonic = monotonic
        self._began_at = monotonic()
        self._saw_at: float | None = None  # when a look last went through
        self._failure = ""  # of the last look

    def run(self) -> None:
        """Returns when the stop is asked for."""
        while not self._stop.is_asked():
            self._began_at = self._monotonic()
            self._look()
            self._stop.wait(max(0.0, LOOK_SECONDS - (self._monotonic() - self._began_at)))

    def healthy(self) -> Health:
        """The loop moves."""
        still = self._monotonic() - self._began_at
        return Health([f"the map has not moved for {still:.0f} s"] if still > STILL_SECONDS else [])

    def ready(self) -> Health:
        """Looks go through."""
        if self._saw_at is None:
            return Health([f"the tables have not been read yet{f': {self._failure}' if self._failure else ''}"])
        blind = self._monotonic() - self._saw_at
        why = self._failure or "AWS has not answered"
        return Health([f"no look at the tables went through for {blind:.0f} s: {why}"] if blind > BLIND_SECONDS else [])

    def _look(self) -> None:
        try:
            with self._metrics.look_seconds.time():
                board = self._reading.look()
        except (BotoCoreError, ClientError, MalformedRowError) as error:
            # The next look is a second away; what is shown meanwhile says how old it is.
            self._failure = " ".join(str(error).split())
            self._metrics.looks.labels(result="failed").inc()
            _log.error("look failed", reason=self._failure)
            return
        self._failure, self._saw_at = "", self._monotonic()
        self._metrics.looks.labels(result="ok").inc()
        if board.lag_seconds is not None:
            self._metrics.lag.set(board.lag_seconds)
        self._publish(board)
