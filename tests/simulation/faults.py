"""What breaks in amid a call of a table: crashes, refusals, lost answers, and other actions meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ConnectionClosedError

from tests.fakes.dynamodb import AFTER, BEFORE, failure
from tests.simulation.kcl import CrashError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.schedule import Action

_READS = {"get_item", "scan", "checkpoint"}


class Faults:
    """The fault that waits; ``do`` makes an action happen."""

    def __init__(self, do: Callable[[Action], None]) -> None:
        self._do = do
        self._armed: Action | None = None
        self._touches = 0

    def arm(self, action: Action | None) -> None:
        """From now on the action's fault waits; None: nothing fails."""
        self._armed, self._touches = (action if action is not None and action.fault else None), 0

    def touch(self, operation: str, _table: str, moment: str) -> bool:
        """See `tests.fakes.dynamodb.Touch`."""
        action = self._armed
        if action is None or action.amid not in {"", operation}:
            return False
        self._touches += 1
        if self._touches <= action.fault_at or not _fits(action.fault, operation, moment):
            return False
        self._armed = None
        match action.fault:
            case "crash":
                raise CrashError
            case "throttle":
                raise failure("ProvisionedThroughputExceededException", "throttled")
            case "conflict" if operation == "transact_write_items":
                reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
                raise failure("TransactionCanceledException", "conflict", CancellationReasons=reasons)
            case "conflict":
                raise failure("TransactionConflictException", "conflict")
            case "lost":
                raise ConnectionClosedError(endpoint_url="memory")
        if action.inner is not None:
            self._do(action.inner)
        return action.fault == "again"


def _fits(fault: str, operation: str, moment: str) -> bool:
    """Whether the fault can happen there."""
    if fault in {"crash", "meanwhile"}:
        return True
    if fault == "throttle":
        return moment == BEFORE and operation != "checkpoint"
    return operation not in _READS and moment == (BEFORE if fault == "conflict" else AFTER)
