"""The daemon's side of the MultiLang protocol: lines in, lines out."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amazon_kclpy.kcl import KCLProcess
from prometheus_client import CollectorRegistry

from headcount.kcl.processor import Handler, ShardProcessor
from headcount.model import Record
from headcount.process_metrics import ShardMetrics

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


class _Output(io.StringIO):
    """Tells of each line as it is written."""

    def __init__(self, listen: Callable[[Line], None]) -> None:
        super().__init__()
        self._listen = listen

    def write(self, text: str) -> int:
        """One line, framed by line ends."""
        self._listen(json.loads(text))
        return super().write(text)


def talk(make: Callable[[str], Handler], *told: Line, listen: Callable[[Line], None] = lambda _: None) -> Conversation:
    """Tell a processor all these lines; ``listen`` hears each answer at its time."""
    registry, said, slept = CollectorRegistry(), list[Line](), list[float]()

    def hear(line: Line) -> None:
        said.append(line)
        listen(line)

    processor = ShardProcessor(make, ShardMetrics(registry), slept.append)
    lines = io.StringIO("".join(json.dumps(line) + "\n" for line in told))
    try:
        KCLProcess(processor, lines, _Output(hear), io.StringIO()).run()
    except SystemExit as end:
        return Conversation(said, end.code if isinstance(end.code, int) else -1, registry, slept)
    assert lines.read() == ""
    return Conversation(said, None, registry, slept)
