"""The pruner: lets silent players leave, by the stream's own clock. ``python -m pruner``."""

import time
from collections.abc import Callable

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client import CollectorRegistry

from headcount.aws import Aws, verify_stream, verify_tables
from headcount.endpoints import Health, serve
from headcount.event_stream import EventStream
from headcount.exposition import exposition
from headcount.lifecycle import Stop
from headcount.metrics import PrunerMetrics
from headcount.process_metrics import BuildMetrics
from headcount.service import run_service
from headcount.settings import Settings
from headcount.tables import MalformedRowError
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from pruner.rate import Rate
from pruner.sweep import Sweep, Swept
from pruner.waiting import Reason

STILL_SECONDS = 20.0  # a step of a pass takes ms; botocore tries for most of two minutes where AWS is silent

_log = structlog.get_logger()


class Pruner:
    """The daemon's loop: a pass every ``HEADCOUNT_PRUNE_INTERVAL_SECONDS`` until the stop is asked for."""

    def __init__(
        self, settings: Settings, sweep: Sweep, stop: Stop, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._sweep, self._stop, self._monotonic = settings, sweep, stop, monotonic
        self.registry = CollectorRegistry()
        self._metrics = PrunerMetrics(self.registry)
        BuildMetrics(self.registry).tell("pruner")
        self._metrics.complete_pass.set_to_current_time()
        self._moved_at = self._monotonic()
        self._passing = False
        self._failure = ""

    def run(self) -> int:
        """Returns the exit code."""
        while not self._stop.is_asked():
            self._moved_at = begun = self._monotonic()
            self._passing = True
            try:
                with self._metrics.pass_seconds.time():
                    swept = self._sweep.run(self._stopping)
            except (BotoCoreError, ClientError, MalformedRowError) as error:
                # botocore has tried several times; whoever left can leave at the next pass.
                self._failure = " ".join(str(error).split())
                self._metrics.passes.labels(result="failed").inc()
                _log.error("pass failed", reason=self._failure)
            else:
                self._failure = ""
                self._tell(swept, self._monotonic() - begun)
            self._passing = False
            self._moved_at = self._monotonic()
            self._stop.wait(max(0.0, self._settings.prune_interval_seconds - (self._monotonic() - begun)))
        _log.info("stopped")
        return 0

    def healthy(self) -> Health:
        """The loop moves: passes end, or one that takes long goes on from page to page and from player to player."""
        still = self._monotonic() - self._moved_at
        allowed = self._settings.prune_interval_seconds + self._settings.stall_seconds
        return Health([f"the pruner has not moved for {still:.0f} s"] if still > allowed else [])

    def ready(self) -> Health:
        """Passes go through, and the one under way goes on."""
        problems = [f"the last pass failed: {self._failure}"] if self._failure else []
        still = self._monotonic() - self._moved_at
        if self._passing and still > min(STILL_SECONDS, self._settings.stall_seconds):
            problems.append(f"AWS has not answered for {still:.0f} s")
        return Health(problems)

    def _stopping(self) -> bool:
        """Asked at every step of a pass."""
        self._moved_at = self._monotonic()
        return self._stop.is_asked()

    def _tell(self, swept: Swept, took: float) -> None:
        metrics = self._metrics
        metrics.passes.labels(result="complete" if swept.complete else "partial").inc()
        if swept.complete:
            metrics.complete_pass.set_to_current_time()
        metrics.pruned.inc(swept.pruned)
        metrics.returned.inc(swept.returned)
        if swept.cutoff is not None:
            metrics.cutoff.set(swept.cutoff / 1000)
        for reason in Reason:
            metrics.held_back.labels(reason=reason.value).set(
                sum(1 for shard in swept.waiting if shard.reason is reason and not swept.rose)
            )
        _log.info(
            "pass",
            cutoff=swept.cutoff,
            pruned=swept.pruned,
            returned=swept.returned,
            took_ms=round(took * 1000),
            complete=swept.complete,
        )
        if swept.waiting and not swept.rose:
            _log.warning("pruning waits", shards={shard.shard: shard.detail for shard in swept.waiting})


def main(settings: Settings, aws: Aws, stop: Stop) -> int:
    """Run until the stop is asked for; returns the exit code."""
    identity = verify_stream(aws.at_start(), settings.events_stream)
    verify_tables(aws.at_start(), settings, [settings.player_table, settings.progress_table])
    # A pass that fails is made again: better soon than after many tries, which would outlast a platform's patience.
    hasty = aws.at_start()
    sweep = Sweep(
        settings,
        str(identity),
        EventStream(hasty.kinesis, settings.events_stream),
        PlayerTable(hasty.dynamodb, settings.player_table),
        ProgressTable(hasty.dynamodb, settings.progress_table),
        Rate(settings.prune_rate),
        spent=hasty.spending.units,
    )
    pruner = Pruner(settings, sweep, stop)
    serve(
        settings.metrics_host,
        settings.metrics_port,
        lambda: exposition(pruner.registry, aws.metrics.registry),
        pruner.healthy,
        pruner.ready,
    )
    return pruner.run()


if __name__ == "__main__":
    run_service("pruner", main)
