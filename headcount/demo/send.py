"""``python -m headcount.demo.send``: a made-up game's traffic to the stream that the settings name, until SIGTERM.

It answers on `/healthz` and `/readyz` like the services: a container platform asks there.
"""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING, Annotated

import boto3
import structlog
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client import CollectorRegistry

from headcount.aws import Aws, UnavailableError, verify_stream
from headcount.demo.traffic import Traffic
from headcount.demo.world import World
from headcount.endpoints import Health, serve
from headcount.environment import load_settings
from headcount.exposition import exposition
from headcount.lifecycle import Stop
from headcount.logs import configure_logs
from headcount.process_metrics import BuildMetrics
from headcount.service import EXIT_UNAVAILABLE

if TYPE_CHECKING:
    from headcount.demo.tsv import Event

TELL_EVERY_SECONDS = 30.0
MOST_SILENT_SECONDS = 60.0

_log = structlog.get_logger()


class Pulse:
    """Where nobody compares with the truth, only the time of the last acknowledgement is kept."""

    def __init__(self) -> None:
        self._acknowledged_at = time.monotonic()

    def record(self, event: Event) -> None:  # noqa: ARG002 (a witness's signature)
        """One more was acknowledged."""
        self._acknowledged_at = time.monotonic()

    def health(self) -> Health:
        """Events get through."""
        silent = time.monotonic() - self._acknowledged_at
        return Health([f"no event was acknowledged for {silent:.0f} s"] if silent > MOST_SILENT_SECONDS else [])


def main(
    players: Annotated[int, typer.Option(min=1, max=100_000, help="Players of the game.")] = 150,
    levels: Annotated[int, typer.Option(min=2, max=500, help="Levels of the campaign.")] = 12,
    rate: Annotated[float, typer.Option(min=0.1, max=5000, help="Events a second, all players together.")] = 30,
    seed: Annotated[int, typer.Option(help="Of the players' behaviour.")] = 7,
) -> None:
    """Send traffic until SIGTERM or SIGINT."""
    settings = load_settings()
    configure_logs("traffic", settings.log_format, settings.log_level)
    stop = Stop()
    stop.listen()
    aws = Aws(settings.aws_region)
    pulse, registry = Pulse(), CollectorRegistry()
    BuildMetrics(registry).tell("traffic")
    try:
        verify_stream(aws.at_start(), settings.events_stream)
        serve(settings.metrics_host, settings.metrics_port, lambda: exposition(registry), pulse.health, pulse.health)
    except UnavailableError as error:
        sys.stderr.write(f"traffic: {error}\n")
        raise typer.Exit(EXIT_UNAVAILABLE) from None
    world = World(
        players,
        levels,
        seed,
        settings.idle_timeout_seconds,
        allowed_lateness_seconds=settings.allowed_lateness_seconds,
    )
    # Its own tries would hide lost answers from the counters.
    client = boto3.client("kinesis", region_name=aws.region_name, config=Config(retries={"total_max_attempts": 1}))
    traffic = Traffic(client, settings.events_stream, world, pulse, rate=rate, seconds=math.inf)
    traffic.start()
    while traffic.running and not stop.wait(TELL_EVERY_SECONDS):
        counters = traffic.counters
        _log.info("traffic", acknowledged=counters.acknowledged, per_second=round(counters.per_second, 1))
    try:
        traffic.stop()
    except (BotoCoreError, ClientError, TimeoutError) as error:
        sys.stderr.write(f"traffic: {' '.join(str(error).split())}\n")
        raise typer.Exit(EXIT_UNAVAILABLE) from None


if __name__ == "__main__":
    typer.run(main)
