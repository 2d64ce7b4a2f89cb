"""Our loop of the KCL's protocol says and hears what amazon_kclpy's does, wherever that one does right."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from amazon_kclpy.checkpoint_error import CheckpointError as TheirError
from amazon_kclpy.kcl import KCLProcess
from amazon_kclpy.v3.processor import RecordProcessorBase
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.kcl.protocol import CheckpointError, Conversation
from headcount.model import Position, Record
from tests.fakes.lines import record
from tests.fakes.protocol import LEASE_LOST, SHARD_ENDED, SHUTDOWN, Line, Output, checkpointed, initialize, process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headcount.kcl.protocol import Checkpointer


class Ours:
    """Notes what it is told, and has a checkpoint made of every record and at every end."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def initialize(self, shard: str, sequence_number: str | None, sub: int) -> None:
        """Noted."""
        self.told.append((shard, sequence_number, sub))

    def process_records(self, records: Sequence[Record], behind: int | None, checkpointer: Checkpointer) -> None:
        """Noted."""
        self.told.append((list(records), behind))
        for one in records:
            self._checkpoint(checkpointer, one.sequence_number, one.position.sub)

    def lease_lost(self) -> None:
        """Noted."""
        self.told.append("lease lost")

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Noted."""
        self.told.append("ended")
        self._checkpoint(checkpointer)

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Noted."""
        self.told.append("shutdown")
        self._checkpoint(checkpointer)

    def _checkpoint(self, checkpointer: Any, *place: Any) -> None:
        try:
            checkpointer.checkpoint(*place)
        except CheckpointError as error:
            self.told.append(error.reason)
        except TheirError as error:
            self.told.append(error.value)


class Theirs(RecordProcessorBase):  # type: ignore[misc] # amazon_kclpy has no types
    """The same, as amazon_kclpy calls it."""

    def __init__(self) -> None:
        self.same = Ours()

    def initialize(self, told: Any) -> None:
        """Passed on."""
        self.same.initialize(told.shard_id, told.sequence_number, told.sub_sequence_number)

    def process_records(self, told: Any) -> None:
        """Passed on."""
        records = [
            Record(
                Position(int(raw.sequence_number), raw.sub_sequence_number),
                raw.sequence_number,
                raw.binary_data,
                raw.timestamp_millis,
            )
            for raw in told.records
        ]
        self.same.process_records(records, told.millis_behind_latest, told.checkpointer)

    def lease_lost(self, _told: Any) -> None:
        """Passed on."""
        self.same.lease_lost()

    def shard_ended(self, told: Any) -> None:
        """Passed on."""
        self.same.shard_ended(told.checkpointer)

    def shutdown_requested(self, told: Any) -> None:
        """Passed on."""
        self.same.shutdown_requested(told.checkpointer)


def both(told: list[Line]) -> tuple[list[Line], list[object]]:
    """What either says and hears, which is the same."""
    text = "".join(json.dumps(line) + "\n" for line in told)
    ours, theirs = Ours(), Theirs()
    out, said = io.StringIO(), list[Line]()
    KCLProcess(theirs, io.StringIO(text), out, io.StringIO()).run()
    Conversation(io.BytesIO(text.encode()), Output(said.append)).serve(ours)
    assert said == [json.loads(line) for line in out.getvalue().splitlines() if line]
    assert ours.told == theirs.same.told
    return said, ours.told


_records = st.builds(
    lambda sequence, sub, data, at: record(sequence, data, arrived_at=at, sub=sub),
    st.integers(0, 10**56),
    st.integers(0, 3),
    st.binary(max_size=50),
    st.integers(0, 2**45),
)
_answers = st.sampled_from(
    [None, "ThrottlingException", "ShutdownException", "InvalidStateException", "KinesisClientLibIOException"]
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Line]:
    """A shard's life as the daemon tells it, the answers to checkpoints at their places."""
    told = [initialize(draw(st.sampled_from([None, "TRIM_HORIZON", "12"])), draw(st.integers(0, 2)))]
    for _ in range(draw(st.integers(0, 4))):
        batch = draw(st.lists(_records, max_size=4))
        told.append(process(*batch, behind=draw(st.none() | st.integers(0, 10**9))))
        told += [checkpointed(draw(_answers)) for _ in batch]
    end = draw(st.sampled_from([[], [LEASE_LOST], [SHARD_ENDED, checkpointed()], [SHUTDOWN, checkpointed()]]))
    ended: list[Line] = [*told, *end]
    return ended


@settings(deadline=None)
@given(conversations())
def test_both_say_and_hear_the_same(told: list[Line]) -> None:
    both(told)


def test_a_batch_comes_whole_and_in_order() -> None:
    batch = [record(number, bytes([number]) * 1000) for number in range(200)]

    said, told = both([initialize(), process(*batch, behind=7), *[checkpointed()] * 200, SHARD_ENDED, checkpointed()])

    assert told == [("shard-1", "TRIM_HORIZON", 0), (batch, 7), "ended"]
    assert len(said) == 1 + 200 + 1 + 1 + 1


def test_another_line_instead_of_a_checkpoints_answer_is_an_invalid_state() -> None:
    """As amazon_kclpy says it; that one then goes on with the next line as if nothing had happened."""
    _, told = both([initialize(), process(record(1, b"one")), LEASE_LOST, process()])

    assert "InvalidStateException" in told


def test_the_end_of_input_instead_of_an_answer_is_an_invalid_state() -> None:
    ours = Ours()

    Conversation(io.BytesIO(json.dumps(SHUTDOWN).encode() + b"\n"), Output(lambda _: None)).serve(ours)

    assert ours.told == ["shutdown", "InvalidStateException"]


@pytest.mark.parametrize("line", [b"not json\n", b'{"action": "processRecords"}\n', b"{}\n"])
def test_a_garbled_line_ends_it(line: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        Conversation(io.BytesIO(line), Output(lambda _: None)).serve(Ours())
