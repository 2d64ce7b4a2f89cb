"""The daemon's side of the MultiLang protocol: lines in, lines out."""

from __future__ import annotations

import base64
import io
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from headcount.kcl.processor import Handler, ShardProcessor
from headcount.kcl.protocol import Conversation as Loop
from headcount.process_metrics import ShardMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from headcount.model import Record

Line = dict[str, Any]


def initialize(sequence: str | None = "TRIM_HORIZON", sub: int = 0, shard: str = "shard-1") -> Line:
    """The first line of a shard."""
    return {"action": "initialize", "shardId": shard, "sequenceNumber": sequence, "subSequenceNumber": sub}


def process(*records: Record, behind: int | None = 0) -> Line:
    """One batch."""
    return {
        "action": "processRecords",
        "millisBehindLatest": behind,
        "records": [
            {
                "action": "record",
                "data": base64.b64encode(record.data).decode(),
                "partitionKey": "key",
                "sequenceNumber": record.sequence_number,
                "subSequenceNumber": record.position.sub,
                "approximateArrivalTimestamp": record.arrived_at,
            }
            for record in records
        ],
    }


def checkpointed(error: str | None = None) -> Line:
    """The answer to a checkpoint."""
    answer: Line = {"action": "checkpoint", "sequenceNumber": "1", "subSequenceNumber": 0}
    return answer | ({"error": error} if error else {})


def checkpoint(sequence: int | None, sub: int | None = 0) -> Line:
    """What a processor says to have one made."""
    return {
        "action": "checkpoint",
        "sequenceNumber": None if sequence is None else str(sequence),
        "subSequenceNumber": sub,
    }


def done(action: str) -> Line:
    """What a processor says when it has done what it was told."""
    return {"action": "status", "responseFor": action}


LEASE_LOST: Line = {"action": "leaseLost"}
SHARD_ENDED: Line = {"action": "shardEnded"}
SHUTDOWN: Line = {"action": "shutdownRequested"}


@dataclass(frozen=True)
class Conversation:
    """What a processor said, its exit code (None: it ran until its input ended), its metrics, and its pauses (s)."""

    said: list[Line]
    exit_code: int | None
    metrics: CollectorRegistry
    slept: list[float]


class Output(io.BytesIO):
    """Tells of each line as it is written."""

    def __init__(self, listen: Callable[[Line], None]) -> None:
        super().__init__()
        self._listen = listen

    def write(self, text: Buffer) -> int:
        """One line, framed by line ends."""
        self._listen(json.loads(bytes(text)))
        return super().write(text)


def talk(
    make: Callable[[str], Handler],
    *told: Line,
    listen: Callable[[Line], None] = lambda _: None,
    monotonic: Callable[[], float] = time.monotonic,
    pushed: bool = False,
) -> Conversation:
    """Tell a processor all these lines; ``listen`` hears each answer at its time."""
    registry, said, slept = CollectorRegistry(), list[Line](), list[float]()

    def hear(line: Line) -> None:
        said.append(line)
        listen(line)

    processor = ShardProcessor(make, ShardMetrics(registry), slept.append, monotonic, pushed=pushed)
    lines = io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in told))
    try:
        Loop(lines, Output(hear)).serve(processor)
    except SystemExit as end:
        return Conversation(said, end.code if isinstance(end.code, int) else -1, registry, slept)
    assert lines.read() == b""
    return Conversation(said, None, registry, slept)
