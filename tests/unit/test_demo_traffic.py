"""Traffic against a Kinesis that obeys, refuses, falls silent or isn't there."""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from headcount.demo.traffic import BATCH, Traffic
from headcount.demo.truth import Truth
from headcount.demo.world import World
from tests.integration.waiting import eventually

END_SECONDS = 60  # 0.6 where the machine is quiet

Records = list[dict[str, Any]]


class FakeKinesis:
    """Takes what it is given, unless `mishaps` says otherwise call by call."""

    def __init__(self, *mishaps: Callable[["FakeKinesis", Records], dict[str, Any]]) -> None:
        self.lines: list[bytes] = []
        self.batches: list[int] = []
        self._mishaps: Iterator[Callable[[FakeKinesis, Records], dict[str, Any]]] = iter(mishaps)

    def put_records(self, *, StreamName: str, Records: Records) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """As boto3 has it."""
        assert StreamName == "events"
        self.batches.append(len(Records))
        return next(self._mishaps, FakeKinesis.take)(self, Records)

    def take(self, records: Records) -> dict[str, Any]:
        """Take and acknowledge all."""
        self.lines += [record["Data"] for record in records]
        return {"Records": [{"SequenceNumber": "1"}] * len(records)}


def take_every_other(kinesis: FakeKinesis, records: Records) -> dict[str, Any]:
    kinesis.take(records[::2])
    code = "ProvisionedThroughputExceededException"
    return {"Records": [{"ErrorCode": code} if i % 2 else {"SequenceNumber": "1"} for i in range(len(records))]}


def take_and_lose_the_answer(kinesis: FakeKinesis, records: Records) -> dict[str, Any]:
    kinesis.take(records)
    raise ReadTimeoutError(endpoint_url="http://kinesis")


def fail(code: str, status: int) -> Callable[[FakeKinesis, Records], dict[str, Any]]:
    def failing(kinesis: FakeKinesis, records: Records) -> dict[str, Any]:
        del kinesis, records
        raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutRecords")  # type: ignore[typeddict-item]

    return failing


def traffic(
    kinesis: FakeKinesis, truth: Truth, *, rate: float = 200, seconds: float = 0.6, disorder: float = 0
) -> Traffic:
    world = World(20, 5, 7, disorder=disorder, duplicates=0)
    return Traffic(cast("Any", kinesis), "events", world, truth, rate=rate, seconds=seconds, grace_seconds=END_SECONDS)


def run(it: Traffic) -> None:
    it.start()
    eventually(lambda: not it.running, END_SECONDS, "the end of the run")
    it.stop()


@pytest.mark.parametrize("rate", [50, 1000, 8000])
def test_the_rate_holds_and_the_run_ends(rate: int) -> None:
    kinesis, truth = FakeKinesis(), Truth()
    it = traffic(kinesis, truth, rate=rate, seconds=0.6)
    run(it)
    assert len(kinesis.lines) == truth.total == it.counters.acknowledged == rate * 0.6
    assert it.counters.waiting == it.counters.skipped == 0
    assert max(kinesis.batches) <= BATCH


def test_delayed_events_arrive_all_the_same() -> None:
    kinesis, truth = FakeKinesis(), Truth()
    run(traffic(kinesis, truth, disorder=0.2))
    assert len(kinesis.lines) == truth.total == 120
    times = [line.split(b"\t")[3] for line in kinesis.lines]
    assert times != sorted(times)


def test_stop_sends_at_once_what_is_left() -> None:
    kinesis, truth = FakeKinesis(), Truth()
    it = traffic(kinesis, truth, rate=200, seconds=3600, disorder=1)
    begun = time.monotonic()
    it.start()
    eventually(lambda: it.counters.acknowledged + it.counters.waiting >= 40, END_SECONDS, "40 records")
    it.stop()
    assert not it.running
    assert 40 <= len(kinesis.lines) == truth.total <= 200 * (time.monotonic() - begun)


def test_refused_records_are_sent_again_and_told_once() -> None:
    kinesis, truth = FakeKinesis(take_every_other, fail("ThrottlingException", 400)), Truth()
    it = traffic(kinesis, truth)
    run(it)
    assert len(kinesis.lines) == len(set(kinesis.lines)) == truth.total == 120
    assert it.counters.retried > 10
    assert it.counters.resent == 0


@pytest.mark.parametrize("mishap", [take_and_lose_the_answer, fail("InternalFailure", 500)])
def test_after_a_lost_answer_records_are_sent_again(mishap: Callable[[FakeKinesis, Records], dict[str, Any]]) -> None:
    kinesis, truth = FakeKinesis(mishap), Truth()
    it = traffic(kinesis, truth)
    run(it)
    assert len(set(kinesis.lines)) == truth.total == 120
    assert it.counters.resent > 0
    assert len(kinesis.lines) <= truth.total + it.counters.resent


def test_a_missing_stream_ends_it_and_stop_says_so() -> None:
    it = traffic(FakeKinesis(fail("ResourceNotFoundException", 400)), Truth(), seconds=3600)
    it.start()
    eventually(lambda: not it.running, END_SECONDS, "its end")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        it.stop()


def test_records_nobody_acknowledged_are_reported() -> None:
    it = traffic(FakeKinesis(*[take_and_lose_the_answer] * 1000), Truth())
    it._grace_seconds = 0.2
    it.start()
    eventually(lambda: it.counters.waiting, END_SECONDS, "a record")
    with pytest.raises(TimeoutError, match="not acknowledged"):
        it.stop()
