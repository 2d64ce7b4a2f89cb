"""Looks at the KCL's lease table every few seconds, and now and then at the tables that the service needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from headcount.aws import HEARTBEAT_SECONDS, explained, unusable
from headcount.kcl.lease_table import read_leases
from headcount.kcl.leases import LeaseBook, Leases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from headcount.process_metrics import SupervisorMetrics

LEAST_SECONDS = 2.0  # between two looks at the leases
TABLE_SECONDS = 30.0  # between two looks at the tables, while they are well
LOOKS_MISSED = 3  # so many in a row, and what was seen last is no news


class LeaseWatch:
    """``client`` must answer or fail within `HEARTBEAT_SECONDS`; ``application`` is the lease table's name."""

    def __init__(
        self,
        client: DynamoDBClient,
        application: str,
        tables: Sequence[str],
        book: LeaseBook,
        metrics: SupervisorMetrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._application, self._tables = client, application, tables
        self._book, self._metrics, self._monotonic = book, metrics, monotonic
        self.seconds = max(LEAST_SECONDS, book.failover_seconds / 2)
        self.leases = Leases()
        self._leases_at = self._tables_at = float("-inf")
        self._failure = "it was not asked yet"
        self._bad: dict[str, str] = {}

    def turn(self) -> float:
        """Look; returns the seconds until the next time."""
        try:
            self._look_at_leases()
            if self._bad or self._monotonic() - self._tables_at >= TABLE_SECONDS:
                self._bad = self._bad_tables()
                self._tables_at = self._monotonic()
        except (BotoCoreError, ClientError) as error:
            self._failure = str(explained(error, "DynamoDB"))
        return self.seconds

    def problems(self) -> list[str]:
        """Why the service can't do its work, as far as this can tell; without what the leases themselves say."""
        now = self._monotonic()
        leases_old = now - self._leases_at > LOOKS_MISSED * (self.seconds + HEARTBEAT_SECONDS)
        tables_old = now - self._tables_at > LOOKS_MISSED * (TABLE_SECONDS + HEARTBEAT_SECONDS)
        unseen = [f"DynamoDB gives no answer: {self._failure}"] if leases_old or tables_old else []
        return [*unseen, *self._bad.values()]

    def _look_at_leases(self) -> None:
        rows = read_leases(self._client, self._application)
        now = self._monotonic()
        leases = self._book.observe([row.lease for row in rows if not row.has_ended], now)
        self.leases, self._leases_at = leases, now
        for state, count in (("mine", leases.mine), ("others", leases.others), ("stalled", len(leases.stalled))):
            self._metrics.leases.labels(state=state).set(count)

    def _bad_tables(self) -> dict[str, str]:
        found = {name: unusable(self._client, name) for name in self._tables}
        return {name: str(problem) for name, problem in found.items() if problem is not None}
