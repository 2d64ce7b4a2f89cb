"""The worker's side of the KCL's MultiLang protocol: the daemon tells a line of JSON, is answered, tells the next.

In place of ``amazon_kclpy``'s loop, which makes two objects of each record, reads a batch as text of several megabytes,
and swallows what a processor raises: here that ends the process, and the daemon then knows that the batch failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import orjson
from pybase64 import b64decode

from headcount.model import Position, Record, make_named

if TYPE_CHECKING:
    from collections.abc import Sequence


class CheckpointError(Exception):
    """The daemon could not make a checkpoint; ``reason`` is the name of the KCL's exception."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The KCL made no checkpoint: {reason}")
        self.reason = reason


class ProtocolError(Exception):
    """The daemon said what no version of the protocol knows."""


class Checkpointer(Protocol):
    """Has checkpoints made."""

    def checkpoint(self, sequence_number: str | None = None, sub: int | None = None) -> None:
        """Up to a record (None: all that was delivered); raises `CheckpointError`."""


class Processor(Protocol):
    """What is told of one shard, in the order of the protocol. What it raises ends the process."""

    def initialize(self, shard: str, sequence_number: str | None, sub: int) -> None:
        """Begin with ``shard`` where the last checkpoint says: after a record, or at a beginning such as LATEST."""

    def process_records(self, records: Sequence[Record], behind: int | None, checkpointer: Checkpointer) -> None:
        """Take a batch; ``behind``: ms from its end to the stream's tip when it was read, None where unknown."""

    def lease_lost(self) -> None:
        """Another worker has the shard."""

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """There will be no more records: a checkpoint is due."""

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """The daemon is about to end: the last chance for a checkpoint."""


class Conversation:
    """With the daemon, over two binary streams; also has checkpoints made."""

    def __init__(self, lines: BinaryIO, out: BinaryIO) -> None:
        self._lines, self._out = lines, out

    def serve(self, processor: Processor) -> None:
        """Do what is told until the daemon closes its end. Raises what ``processor`` raises, and `ProtocolError`."""
        while (told := self._read()) is not None:
            action = told["action"]
            self._do(processor, action, told)
            del told  # before the next one is read: either may be of megabytes
            self._say({"action": "status", "responseFor": action})

    def checkpoint(self, sequence_number: str | None = None, sub: int | None = None) -> None:
        """See `Checkpointer`."""
        self._say({"action": "checkpoint", "sequenceNumber": sequence_number, "subSequenceNumber": sub})
        answer = self._read()
        if answer is None or answer["action"] != "checkpoint":
            raise CheckpointError("InvalidStateException")
        if answer.get("error") is not None:
            raise CheckpointError(answer["error"])

    def _do(self, processor: Processor, action: str, told: dict[str, Any]) -> None:
        match action:
            case "processRecords":
                processor.process_records(_records(told["records"]), told["millisBehindLatest"], self)
            case "initialize":
                processor.initialize(told["shardId"], told["sequenceNumber"], told["subSequenceNumber"] or 0)
            case "leaseLost":
                processor.lease_lost()
            case "shardEnded":
                processor.shard_ended(self)
            case "shutdownRequested":
                processor.shutdown_requested(self)
            case _:
                raise ProtocolError(f"The KCL daemon says {action!r}, which this version of Headcount does not know.")

    def _read(self) -> dict[str, Any] | None:
        line = self._lines.readline()
        if not line:
            return None
        told: dict[str, Any] = orjson.loads(line)
        return told

    def _say(self, message: dict[str, Any]) -> None:
        # The line end before: whatever else was written there by mistake shall not run into it.
        self._out.write(b"\n" + orjson.dumps(message) + b"\n")
        self._out.flush()


def _records(told: list[dict[str, Any]]) -> list[Record]:
    """The records of a batch; ``told`` is emptied meanwhile, as both at once are many megabytes."""
    told.reverse()
    records = []
    while told:
        raw = told.pop()
        number = raw["sequenceNumber"]
        position = make_named(Position, (int(number), raw["subSequenceNumber"] or 0))
        data = b64decode(raw["data"], validate=True)
        records.append(make_named(Record, (position, number, data, raw["approximateArrivalTimestamp"])))
    return records
