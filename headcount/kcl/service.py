"""What a service tells the supervisor of itself, and how its KCL daemon runs therefore."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from headcount.kcl.gate import Gate, OpenGate
from headcount.kcl.properties import DaemonConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from headcount.aws import Aws
    from headcount.companion import Companion
    from headcount.kcl.children import Children
    from headcount.settings import Settings


@dataclass(frozen=True)
class Service:
    """A KCL service; ``stream``: a Kinesis stream's name or a DynamoDB stream's ARN, ``identity``: ``name@created``.

    ``tables``: those without which it can't work. ``companions`` run in threads of the supervisor.
    """

    name: str
    application: str
    stream: str
    identity: str
    worker_module: str
    initial_position: str
    tables: tuple[str, ...]
    companions: tuple[Companion, ...] = ()
    warnings: Callable[[Children], list[str]] = lambda _: []  # what only the service can tell, for `/readyz`
    problems: Callable[[Children], list[str]] = lambda _: []  # likewise; these make it unready
    gate: Gate = field(default_factory=OpenGate)  # shut, the daemon does not run

    def daemon(self, settings: Settings, aws: Aws, worker_id: str) -> DaemonConfig:
        """How its daemon runs, as the worker ``worker_id`` of its application."""
        of_a_table = self.stream.startswith("arn:")
        streams = aws.streams if of_a_table else aws.kinesis
        return DaemonConfig(
            stream=self.stream,
            application=self.application,
            worker_id=worker_id,
            command=(Path(sys.executable).name, "-m", self.worker_module, self.identity),
            region=aws.region_name,
            kinesis_endpoint=streams.meta.endpoint_url,
            dynamodb_endpoint=aws.dynamodb.meta.endpoint_url,
            initial_position=self.initial_position,
            failover_seconds=settings.failover_seconds,
            poll_milliseconds=settings.poll_milliseconds,
            stall_seconds=settings.stall_seconds,
            fan_out=settings.enhanced_fan_out and not of_a_table,
        )
