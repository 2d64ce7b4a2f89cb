"""The pruner: lets silent players leave, by the stream's own clock. ``python -m pruner``."""

import time

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client import CollectorRegistry

from headcount.aws import Aws, verify_stream, verify_tables
from headcount.endpoints import Health, serve
from headcount.event_stream import EventStream
from headcount.lifecycle import Stop
from headcount.metrics import BuildMetrics, PrunerMetrics, exposition
from headcount.service import run_service
from headcount.settings import Settings
from headcount.tables import MalformedRowError
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from pruner.rate import Rate
from pruner.sweep import Sweep, Swept
from pruner.waiting import Reason

PASSES_MISSED = 5  # so many intervals without a pass that went through, and the pruner is not ready

_log = structlog.get_logger()


class Pruner:
    """The daemon's loop: a pass every ``HEADCOUNT_PRUNE_INTERVAL_SECONDS`` until the stop is asked for."""

    def __init__(self, settings: Settings, sweep: Sweep, stop: Stop) -> None:
        self._settings, self._sweep, self._stop = settings, sweep, stop
        self.registry = CollectorRegistry()
        self._metrics = PrunerMetrics(self.registry)
        BuildMetrics(self.registry).tell("pruner")
        self._moved_at = self._passed_at = time.monotonic()
        self._failure = ""

    def run(self) -> int:
        """Returns the exit code."""
        while not self._stop.is_asked():
            begun = time.monotonic()
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
                self._passed_at = time.monotonic()
                self._tell(swept, time.monotonic() - begun)
            self._moved_at = time.monotonic()
            self._stop.wait(max(0.0, self._settings.prune_interval_seconds - (time.monotonic() - begun)))
        _log.info("stopped")
        return 0

    def healthy(self) -> Health:
        """The loop moves: passes end, or one that takes long goes on from page to page and from player to player."""
        still = time.monotonic() - self._moved_at
        allowed = self._settings.prune_interval_seconds + self._settings.stall_seconds
        return Health([f"the pruner has not moved for {still:.0f} s"] if still > allowed else [])

    def ready(self) -> Health:
        """Passes go through."""
        since = time.monotonic() - self._passed_at
        allowed = PASSES_MISSED * self._settings.prune_interval_seconds + self._settings.stall_seconds
        problems = [f"the last pass failed: {self._failure}"] if self._failure else []
        if since > allowed:
            problems.append(f"no pass has gone through for {since:.0f} s")
        return Health(problems)

    def _stopping(self) -> bool:
        """Asked at every step of a pass."""
        self._moved_at = time.monotonic()
        return self._stop.is_asked()

    def _tell(self, swept: Swept, took: float) -> None:
        metrics = self._metrics
        metrics.passes.labels(result="complete" if swept.complete else "partial").inc()
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
    verify_tables(aws.at_start(), [settings.player_table, settings.progress_table])
    sweep = Sweep(
        settings,
        str(identity),
        EventStream(aws.kinesis, settings.events_stream),
        PlayerTable(aws.dynamodb, settings.player_table),
        ProgressTable(aws.dynamodb, settings.progress_table),
        Rate(settings.prune_rate),
    )
    pruner = Pruner(settings, sweep, stop)
    serve(
        settings.metrics_host,
        settings.metrics_port,
        lambda: exposition(pruner.registry),
        pruner.healthy,
        pruner.ready,
    )
    return pruner.run()


if __name__ == "__main__":
    run_service("pruner", main)
