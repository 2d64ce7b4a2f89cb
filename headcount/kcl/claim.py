"""A claim on a fixed worker id: two workers with one id would read the same shards without either losing its lease.

The claim is a row of StreamProgress, ``claim/<application>/<worker id>``, renewed by a heartbeat. Whoever finds it
watches it for as long as a heartbeat may be overdue: if it moves, its holder lives and the second one is refused.
A holder on this very machine whose process is gone is known to be dead at once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from headcount.tables import number, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

HEARTBEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 10.0  # without a heartbeat the holder is dead, and by then must have stopped its daemon

_FREE_OR_AS_SEEN = "attribute_not_exists(worker) OR (holder = :seen_holder AND beat = :seen_beat)"
_MINE = "holder = :holder"


class ClaimRefusedError(Exception):
    """Another live process holds the worker id; the message names it."""


class Claim:
    """A held claim. Times in s of ``monotonic``."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        key: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._table, self._key = client, table, key
        self._monotonic, self._sleep = monotonic, sleep
        self._holder = uuid.uuid4().hex
        self._beat = 0
        self._beaten_at = monotonic()
        self._lost = threading.Event()
        self._released = threading.Event()

    def take(self) -> None:
        """Take the claim; raises `ClaimRefusedError` while another holder lives, and botocore's errors."""
        deadline = self._monotonic() + DEAD_AFTER_SECONDS
        first = self._read()
        while first is not None and not _is_dead_here(first):
            seen = self._read()
            if seen is None or self._monotonic() >= deadline:
                break
            if (seen["holder"], seen["beat"]) != (first["holder"], first["beat"]):
                where = f"process {first['pid']['N']} on {first['host']['S']}"
                raise ClaimRefusedError(
                    f"Worker id {self._key.rpartition('/')[2]} is held by {where}, which is alive. "
                    "Give each process its own HEADCOUNT_WORKER_ID, or none."
                )
            self._sleep(HEARTBEAT_SECONDS / 4)
        try:
            self._put(first)
        except self._client.exceptions.ConditionalCheckFailedException:
            raise ClaimRefusedError(
                f"Worker id {self._key.rpartition('/')[2]} was taken by another process at the same moment."
            ) from None

    def keep(self, on_lost: Callable[[], None]) -> None:
        """Renew the claim from a thread of its own until it is released; ``on_lost`` is called from that thread."""

        def heartbeat() -> None:
            while not self._released.wait(HEARTBEAT_SECONDS / 4):
                if not self.beat():
                    self._lost.set()
                    on_lost()
                    return

        threading.Thread(target=heartbeat, name="claim", daemon=True).start()

    def is_lost(self) -> bool:
        """Whether another process may hold the worker id by now."""
        return self._lost.is_set()

    def beat(self) -> bool:
        """Renew the claim if it is time. False: it is lost, or could not be renewed for too long: stop the daemon."""
        now = self._monotonic()
        if now - self._beaten_at < HEARTBEAT_SECONDS:
            return True
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"worker": text(self._key)},
                UpdateExpression="SET beat = :beat",
                ConditionExpression=_MINE,
                ExpressionAttributeValues={":beat": number(self._beat + 1), ":holder": text(self._holder)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        except Exception:  # noqa: BLE001 (whatever kept the heartbeat from the table, only its age matters)
            # An attempt takes at most 3 s (headcount/aws.py), so the age is judged at 8 s at the latest.
            return self._monotonic() - self._beaten_at < DEAD_AFTER_SECONDS / 2
        self._beat += 1
        self._beaten_at = now
        return True

    def release(self) -> None:
        """Give the id up, if it still is held; the daemon must have ended before."""
        self._released.set()
        # Best effort: a claim that stays is found dead by whoever wants it next.
        with suppress(BotoCoreError, ClientError):
            self._client.delete_item(
                TableName=self._table,
                Key={"worker": text(self._key)},
                ConditionExpression=_MINE,
                ExpressionAttributeValues={":holder": text(self._holder)},
            )

    def _read(self) -> dict[str, dict[str, str]] | None:
        found = self._client.get_item(TableName=self._table, Key={"worker": text(self._key)}, ConsistentRead=True)
        return found.get("Item")  # type: ignore[return-value] # strings and numbers only: we wrote it

    def _put(self, seen: dict[str, dict[str, str]] | None) -> None:
        self._client.put_item(
            TableName=self._table,
            Item={
                "worker": text(self._key),
                "holder": text(self._holder),
                "beat": number(0),
                "host": text(_machine()),
                "pid": number(os.getpid()),
            },
            ConditionExpression=_FREE_OR_AS_SEEN,
            ExpressionAttributeValues={
                ":seen_holder": seen["holder"] if seen else text(""),
                ":seen_beat": seen["beat"] if seen else number(0),
            },
        )
        self._beaten_at = self._monotonic()


def _machine() -> str:
    """This machine, or rather this PID namespace: a PID means something only within it."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}{namespace}"


def _is_dead_here(row: dict[str, dict[str, str]]) -> bool:
    if row["host"]["S"] != _machine():
        return False
    try:
        os.kill(int(row["pid"]["N"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
