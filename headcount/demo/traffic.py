"""Sends the world's events to Kinesis in real time, and tells a witness of each that Kinesis acknowledged."""

import heapq
import time
from collections import deque
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from headcount.demo.tsv import Event
from headcount.demo.world import World

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

BATCH = 500  # PutRecords takes no more; at 2.5 kB a record its 5 MB are far away
_TICK_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_MOST_BEHIND_SECONDS = 5.0
_RATE_WINDOW_SECONDS = 5.0
_REFUSALS = {"ProvisionedThroughputExceededException", "ThrottlingException", "LimitExceededException"}
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Counters:
    """What traffic has done so far.

    Attributes:
        acknowledged: Records in Kinesis for certain, duplicates included.
        retried: Records that Kinesis refused, sent again.
        resent: Records sent again because the answer was lost; each may stand in Kinesis once more than it is counted.
        waiting: Records made but not yet acknowledged.
        skipped: Records never made, as sending was too far behind the rate.
        per_second: Acknowledged records per second, of late.
    """

    acknowledged: int = 0
    retried: int = 0
    resent: int = 0
    waiting: int = 0
    skipped: int = 0
    per_second: float = 0.0


class Witness(Protocol):
    """Who is told of what Kinesis acknowledged: `headcount.demo.truth.Truth`, where somebody compares with it."""

    def record(self, event: Event) -> None:
        """Take in one acknowledged record."""


class Traffic:
    """A thread that keeps up `rate` records a second for `seconds`, then sends what is still under way and ends.

    Args:
        client: Kinesis; best without retries of its own, which would hide lost answers from the counters.
        stream: The stream's name.
        world: Makes the events; belongs to the thread from `start` on.
        witness: Takes in what was acknowledged.
        rate: Records per second.
        seconds: For how long.
        grace_seconds: How long to go on trying to get rid of the rest at the end.
    """

    def __init__(
        self,
        client: "KinesisClient",
        stream: str,
        world: World,
        witness: Witness,
        *,
        rate: float,
        seconds: float,
        grace_seconds: float = 30,
    ) -> None:
        self._client, self._stream, self._world, self._witness = client, stream, world, witness
        self._rate, self._seconds, self._grace_seconds = rate, seconds, grace_seconds
        self._stop = Flag()
        self._thread = Thread(target=self._guarded, name="traffic", daemon=True)
        self._delayed: list[tuple[int, int, Event]] = []  # due, tie-breaker, event
        self._outgoing: deque[Event] = deque()
        self._acknowledged = self._retried = self._resent = self._skipped = self._made = 0
        self._pause = 0.0
        self._pace: deque[tuple[float, int]] = deque()
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin; may be called once."""
        self._thread.start()

    def stop(self) -> None:
        """Make no more events, send the rest and wait for that.

        Raises:
            Exception: What ended the traffic early, such as a stream that isn't there.
            TimeoutError: Records are left that Kinesis may or may not have: the truth can't be told.
        """
        self._stop.set()
        self._thread.join()
        if self.failure:
            raise self.failure
        if self.counters.waiting:
            raise TimeoutError(f"{self.counters.waiting} records were not acknowledged in {self._grace_seconds} s")

    @property
    def running(self) -> bool:
        """Whether the thread still makes or sends events."""
        return self._thread.is_alive()

    @property
    def counters(self) -> Counters:
        """A momentary reading."""
        now = time.monotonic()
        window = [(then, count) for then, count in list(self._pace) if then > now - _RATE_WINDOW_SECONDS]
        then, before = window[0] if window else (now, self._acknowledged)
        until = max(window[-1][0] if window else now, now - 2 * _TICK_SECONDS)  # between two sends nothing is amiss
        return Counters(
            acknowledged=self._acknowledged,
            retried=self._retried,
            resent=self._resent,
            waiting=self._made - self._acknowledged,
            skipped=self._skipped,
            per_second=(self._acknowledged - before) / max(until - then, _TICK_SECONDS),
        )

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as failure:  # noqa: BLE001 - stop() raises it where somebody can see it
            self.failure = failure

    def _run(self) -> None:
        start = time.monotonic()
        while not self._stop.is_set() and (elapsed := time.monotonic() - start) < self._seconds:
            self._make(elapsed)
            self._send()
            # Ticks stand at fixed times, so that the time a send takes doesn't stretch the pace.
            self._stop.wait(_TICK_SECONDS - (time.monotonic() - start) % _TICK_SECONDS + self._pause)
        if not self._stop.is_set():
            self._make(self._seconds)
        deadline = time.monotonic() + self._grace_seconds
        while self._made > self._acknowledged and time.monotonic() < deadline:
            # After a stop nobody waits for stragglers; at the natural end they arrive as late as they would have.
            self._release(None if self._stop.is_set() else time.time_ns() // 1_000_000)
            self._send()
            time.sleep(self._pause or _TICK_SECONDS)

    def _make(self, elapsed: float) -> None:
        due = int(elapsed * self._rate) - self._made - self._skipped
        surplus = max(0, due - int(_MOST_BEHIND_SECONDS * self._rate))
        self._skipped += surplus
        now_ms = time.time_ns() // 1_000_000
        for event in self._world.tick(now_ms, due - surplus):
            self._made += 1
            heapq.heappush(self._delayed, (event.at + event.delay_ms, self._made, event))
        self._release(now_ms)

    def _release(self, until_ms: int | None) -> None:
        while self._delayed and (until_ms is None or self._delayed[0][0] <= until_ms):
            self._outgoing.append(heapq.heappop(self._delayed)[2])

    def _send(self) -> None:
        while self._outgoing:
            batch = [self._outgoing.popleft() for _ in range(min(BATCH, len(self._outgoing)))]
            failed = self._put(batch)
            self._pace.append((time.monotonic(), self._acknowledged))
            while self._pace[0][0] < self._pace[-1][0] - _RATE_WINDOW_SECONDS:
                self._pace.popleft()
            self._outgoing.extendleft(reversed(failed))
            if failed:
                self._pause = min(_LONGEST_PAUSE_SECONDS, self._pause * 2 or _TICK_SECONDS)
                return
            self._pause = 0.0

    def _put(self, batch: list[Event]) -> list[Event]:
        """Send one batch; returns the records that must be sent again."""
        records = [{"Data": event.line, "PartitionKey": event.partition_key} for event in batch]
        try:
            answer = self._client.put_records(StreamName=self._stream, Records=records)  # type: ignore[arg-type]
        except (HTTPClientError, NoConnectionError):
            self._resent += len(batch)
            return batch
        except ClientError as error:
            if error.response["Error"].get("Code") in _REFUSALS:
                self._retried += len(batch)
                return batch
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR:
                self._resent += len(batch)
                return batch
            raise
        failed = []
        for event, result in zip(batch, answer["Records"], strict=True):
            if result.get("ErrorCode"):
                failed.append(event)
            else:
                self._witness.record(event)
        self._acknowledged += len(batch) - len(failed)
        self._retried += len(failed)
        return failed
