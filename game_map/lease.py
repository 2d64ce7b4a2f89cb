"""Which of the map's replicas writes: the one that holds a lease, a row of StreamProgress.

A lease is held for so many seconds from when a renewal *began*; others take it when they have seen it unchanged for as
long. No clocks are compared, only that they run at one pace. Who is held up may still write when another holds it:
what must not be written twice has a condition of its own (`game_map.publication`).
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from headcount.tables import integer, number, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.lifecycle import Stop
    from headcount.tables import Item

HISTORY, SNAPSHOTS = "game_map/history", "game_map/snapshots"  # what each is for, by its row
RENEWALS = 3  # in the time that it is held for

_log = structlog.get_logger()


class Lease:
    """One replica's side of the one in ``row``; ``seconds``: how long it is held without a renewal.

    `is_held` may be asked from any thread.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        row: str,
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._table, self._row = client, table, row
        self._seconds, self._monotonic = seconds, monotonic
        self.owner = secrets.token_hex(8)
        self._counter: int | None = None  # as this replica wrote it last
        self._until = float("-inf")
        self._seen: int | None = None  # another's counter,
        self._seen_at = 0.0  # and since when it has stood still

    @property
    def is_held(self) -> bool:
        """Whether this replica is the one that writes."""
        return self._monotonic() < self._until

    def keep(self, stop: Stop) -> None:
        """Renew it, or wait for it, until the stop is asked for; then give it up."""
        holds = False
        while not stop.is_asked():
            try:
                self.renew()
            except Exception as error:  # noqa: BLE001 (whatever it is: it is tried again, and is over in time)
                _log.warning("lease not renewed", reason=" ".join(str(error).split()))
            if self.is_held != holds:
                holds = not holds
                _log.info("holds the lease" if holds else "lost the lease", row=self._row, owner=self.owner)
            stop.wait(self._seconds / RENEWALS)
        self.release()

    def renew(self) -> bool:
        """Renew it, or take it if it is free or its holder has been silent for too long; whether it is held then.

        Raises botocore's errors once its retries are used up.
        """
        began = self._monotonic()
        if self._counter is None or not self._write(self._counter):
            self._counter = self._take()
        self._until = float("-inf") if self._counter is None else began + self._seconds
        return self._counter is not None

    def release(self) -> None:
        """Let another take it at once."""
        self._until = float("-inf")
        if self._counter is None:
            return
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"worker": text(self._row)},
                UpdateExpression="REMOVE #owner",
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": text(self.owner)},
            )
        except (BotoCoreError, ClientError) as error:
            _log.info("lease not given up", reason=" ".join(str(error).split()))  # others wait until it is over

    def _take(self) -> int | None:
        """The counter that it was taken with; None: another has it."""
        key = {"worker": text(self._row)}
        row: Item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        now, counter = self._monotonic(), integer(row, "counter")
        owner = row["owner"]["S"] if "owner" in row else None
        is_own = owner == self.owner  # the answer of its own write was lost
        if owner is not None and not is_own and counter != self._seen:
            self._seen, self._seen_at = counter, now
            return None
        if owner is not None and not is_own and now - self._seen_at < self._seconds:
            return None
        self._seen = None
        return self._counter if self._write(counter) else None

    def _write(self, counter: int | None) -> bool:
        """Move the row on from ``counter`` (None: there is no row), as this replica's; False if another did."""
        is_next = "attribute_not_exists(worker)" if counter is None else "#counter = :counter"
        values = {":me": text(self.owner), ":next": number((counter or 0) + 1)}
        if counter is not None:
            values[":counter"] = number(counter)
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"worker": text(self._row)},
                UpdateExpression="SET #owner = :me, #counter = :next",
                ConditionExpression=is_next,
                ExpressionAttributeNames={"#owner": "owner", "#counter": "counter"},  # reserved words
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        self._counter = (counter or 0) + 1
        return True
