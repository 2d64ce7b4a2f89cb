"""The record processors in the KCL's own protocol: a checkpoint comes last, and a failure ends without one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import pytest
import structlog

from headcount.kcl.protocol import ProtocolError
from headcount.model import Position, Record
from tests.fakes.clock import Clock
from tests.fakes.lines import record
from tests.fakes.protocol import (
    LEASE_LOST,
    SHARD_ENDED,
    SHUTDOWN,
    Conversation,
    Line,
    checkpoint,
    checkpointed,
    done,
    initialize,
    process,
    talk,
)
from tests.fakes.recorder import Recorder

ONE, TWO = record(1, b"one"), record(2, b"two")
STARTED = done("initialize")
BATCH = done("processRecords")


@pytest.fixture(autouse=True)
def forgotten_shard() -> Iterator[None]:
    """Each test logs of a shard of its own."""
    yield
    structlog.contextvars.clear_contextvars()


def spoken(handler: Recorder, *told: Line) -> Conversation:
    return talk(handler.make, initialize(), *told)


@pytest.mark.parametrize(
    ("sequence", "sub", "begin"),
    [
        ("TRIM_HORIZON", 0, None),
        ("LATEST", 0, None),
        ("AT_TIMESTAMP", 0, None),
        (None, 0, None),
        ("49590338271490256608559692538361571095921575989136588898", 3, 3),
        ("7", 0, 0),
    ],
)
def test_a_shard_begins_where_the_checkpoint_says(sequence: str | None, sub: int, begin: int | None) -> None:
    handler = Recorder()

    talked = talk(handler.make, initialize(sequence, sub))

    assert talked.said == [STARTED]
    assert handler.told == [None if begin is None else Position(int(sequence or 0), begin)]


def test_a_batch_is_handled_then_settled_then_checkpointed() -> None:
    handler = Recorder()

    talked = spoken(handler, process(ONE, TWO, behind=100), checkpointed())

    assert handler.told[1:] == [("handle", [b"one", b"two"], False), ("settle", False, False)]
    assert talked.said == [STARTED, checkpoint(2), BATCH]
    assert talked.metrics.get_sample_value("headcount_checkpoints_total", {"shard": "shard-1"}) == 1


@pytest.mark.parametrize(
    ("fetched_behind", "handled_after", "shown"),
    [(100, 0.05, 0.1), (0, 93.0, 93.0), (None, 2.0, 2.0), (0, -0.3, 0.0)],
)
def test_behind_is_when_the_batch_was_fetched_or_when_it_was_handled_whichever_is_more(
    fetched_behind: int | None, handled_after: float, shown: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The KCL fetches ahead: a batch that comes after a long one was at the tip when it was fetched."""
    monkeypatch.setattr("headcount.kcl.processor.time.time", lambda: TWO.arrived_at / 1000 + handled_after)

    talked = spoken(Recorder(), process(ONE, TWO, behind=fetched_behind), checkpointed())

    assert talked.metrics.get_sample_value("headcount_behind_latest_seconds", {"shard": "shard-1"}) == shown


def test_the_last_checkpoint_is_told_and_at_first_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    begun = clock()
    monkeypatch.setattr("prometheus_client.metrics.time.time", clock)

    class _Slow(Recorder):
        def handle(self, records: Sequence[Record], *, caught_up: bool) -> dict[str, int]:
            clock.now += 60
            return super().handle(records, caught_up=caught_up)

    def told(*lines: Line) -> float | None:
        clock.now = begun
        metrics = spoken(_Slow(), *lines).metrics
        return metrics.get_sample_value("headcount_last_checkpoint_timestamp_seconds", {"shard": "shard-1"})

    assert told(process()) == begun
    assert told(process(), process(ONE), checkpointed()) == begun + 120


@pytest.mark.parametrize(("behind", "caught_up"), [(0, True), (1, False), (None, False)])
def test_an_empty_batch_is_a_heartbeat(behind: int | None, caught_up: bool) -> None:
    handler = Recorder()

    talked = spoken(handler, process(behind=behind), process(behind=behind))

    assert handler.told[1:] == [("handle", [], caught_up), ("settle", False, False)] * 2
    assert talked.said == [STARTED, BATCH, BATCH]
    assert talked.metrics.get_sample_value("headcount_batches_total", {"shard": "shard-1"}) == 2
    assert talked.metrics.get_sample_value("headcount_last_batch_timestamp_seconds", {"shard": "shard-1"})


@pytest.mark.parametrize(
    ("pushed", "took", "waited", "caught_up"),
    [(True, 0, 0.49, False), (True, 0, 0.5, True), (True, 60, 0.49, False), (False, 0, 0, True)],
)
def test_a_push_is_from_the_tip_where_it_had_to_be_waited_for(
    pushed: bool, took: float, waited: float, caught_up: bool
) -> None:
    """What this process did meanwhile is no waiting, a checkpoint included."""
    clock = Clock(0.0)
    handler = Recorder()

    def listen(line: Line) -> None:
        clock.now += took if line["action"] == "checkpoint" else waited

    talk(
        handler.make,
        initialize(),
        process(ONE, behind=0),
        checkpointed(),
        process(behind=0),
        listen=listen,
        monotonic=clock,
        pushed=pushed,
    )

    assert handler.told[3] == ("handle", [], caught_up)


def test_a_throttled_checkpoint_is_tried_again() -> None:
    answers = [checkpointed("ThrottlingException"), checkpointed("KinesisClientLibDependencyException"), checkpointed()]

    talked = spoken(Recorder(), process(ONE), *answers)

    assert talked.said == [STARTED, checkpoint(1), checkpoint(1), checkpoint(1), BATCH]
    assert talked.slept == [0.1, 0.2]


def test_a_checkpoint_throttled_for_ever_ends_the_process() -> None:
    talked = spoken(Recorder(), process(ONE), *[checkpointed("ThrottlingException")] * 10)

    assert talked.said == [STARTED, *[checkpoint(1)] * 10]
    assert talked.exit_code == 1


@pytest.mark.parametrize("answer", [checkpointed("InvalidStateException"), LEASE_LOST])
def test_an_invalid_state_ends_the_process(answer: Line) -> None:
    talked = spoken(Recorder(), process(ONE), answer)

    assert talked.said == [STARTED, checkpoint(1)]
    assert talked.exit_code == 1
    assert talked.slept == []


def test_a_lease_lost_at_a_checkpoint_is_no_failure_and_the_last_of_it() -> None:
    handler = Recorder()

    talked = spoken(handler, process(ONE), checkpointed("ShutdownException"), process(TWO), SHUTDOWN, LEASE_LOST)

    assert talked.exit_code is None
    answers = [STARTED, checkpoint(1), BATCH, BATCH, done("shutdownRequested"), done("leaseLost")]
    assert talked.said == answers
    assert len(handler.told) == 3


@pytest.mark.parametrize("after", [process(TWO), SHARD_ENDED, SHUTDOWN])
def test_nothing_of_a_lost_shard_is_ours(after: Line) -> None:
    handler = Recorder()

    talked = spoken(handler, LEASE_LOST, after)

    assert talked.said == [STARTED, done("leaseLost"), done(after["action"])]
    assert handler.told == [None]


def test_an_ended_shard_is_settled_and_checkpointed_at_its_end() -> None:
    handler = Recorder()

    talked = spoken(handler, SHARD_ENDED, checkpointed("ThrottlingException"), checkpointed())

    assert handler.told[1:] == [("settle", True, True)]
    assert talked.said == [STARTED, checkpoint(None, None), checkpoint(None, None), done("shardEnded")]


def test_a_shutdown_settles_and_checkpoints() -> None:
    handler = Recorder()

    talked = spoken(handler, process(ONE), checkpointed(), SHUTDOWN, LEASE_LOST)

    assert handler.told[3:] == [("settle", True, False)]
    assert talked.said[-2:] == [done("shutdownRequested"), done("leaseLost")]


Where = Literal["make", "start", "handle", "settle"]


@pytest.mark.parametrize(
    ("where", "told", "said"),
    [
        ("make", [], []),
        ("start", [], []),
        ("handle", [process(ONE)], [STARTED]),
        ("settle", [process(ONE)], [STARTED]),
        ("settle", [SHARD_ENDED], [STARTED]),
        ("settle", [SHUTDOWN], [STARTED]),
    ],
)
def test_a_failure_ends_the_process_without_status_or_checkpoint(
    where: Where, told: list[Line], said: list[Line]
) -> None:
    """What amazon_kclpy's loop would swallow and report as done."""
    talked = spoken(Recorder(where), *told, process(TWO), checkpointed())

    assert talked.exit_code == 1
    assert talked.said == said


def test_a_line_that_is_none_of_the_protocol_raises() -> None:
    make: Callable[[str], Recorder] = Recorder().make
    with pytest.raises(ProtocolError, match="says 'dance', which this version of Headcount does not know"):
        talk(make, {"action": "dance"})
