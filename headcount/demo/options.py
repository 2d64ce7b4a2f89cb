"""What a run of the demo is asked to be, and the settings of the services that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headcount.demo.tsv import APP_ID

if TYPE_CHECKING:
    from pathlib import Path

FULL_IDLE_TIMEOUT = 300.0  # what the other intervals' defaults go with
LEAST_SILENCE = 600.0  # longer than the drain may take: in it nobody shall leave by the clock


@dataclass(frozen=True)
class Options:
    """What the command line says; see `headcount.demo.__main__`."""

    players: int
    levels: int
    rate: float
    seconds: float
    seed: int
    shards: int
    idle_timeout: float
    stable_keys: bool
    kill: bool

    def settings(self, directory: Path) -> dict[str, str]:
        """Settings of the services: intervals scale with the idle timeout."""
        scale = self.idle_timeout / FULL_IDLE_TIMEOUT
        return {
            "HEADCOUNT_APP_IDS": APP_ID,
            "HEADCOUNT_IDLE_TIMEOUT_SECONDS": f"{self.idle_timeout:g}",
            "HEADCOUNT_ALLOWED_LATENESS_SECONDS": f"{self.lateness:g}",
            "HEADCOUNT_REFRESH_SECONDS": f"{60 * scale:g}",
            "HEADCOUNT_PRUNE_INTERVAL_SECONDS": f"{30 * scale:g}",
            "HEADCOUNT_MAX_SILENCE_SECONDS": f"{max(LEAST_SILENCE, 600 * scale):g}",
            "HEADCOUNT_FAILOVER_SECONDS": "2",
            "HEADCOUNT_POLL_MILLISECONDS": "200",
            "HEADCOUNT_DEAD_LETTER_DIRECTORY": str(directory / "dead-letters"),
            # One process of each service, on one machine: the claim is certain who holds the id.
            "HEADCOUNT_WORKER_ID": "demo",
            "HEADCOUNT_LOG_FORMAT": "json",
        }

    @property
    def lateness(self) -> float:
        """Allowed lateness in s."""
        return 10 * self.idle_timeout / FULL_IDLE_TIMEOUT

    @property
    def pass_seconds(self) -> float:
        """Event time by which a pass surely comes after a player is due: interval, refresh, and what lags."""
        return 90 * self.idle_timeout / FULL_IDLE_TIMEOUT + 8
