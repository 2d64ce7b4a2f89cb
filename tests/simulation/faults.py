"""What breaks in amid a call of a table: crashes, refusals, lost answers, and other actions meanwhile."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ConnectionClosedError

from headcount.kcl.protocol import CheckpointError
from tests.fakes.dynamodb import AFTER, BEFORE, STATEMENT
from tests.fakes.dynamodb_items import failure
from tests.simulation.leases import CrashError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.schedule import Action

_READS = {"get_item", "scan"}
CHECKPOINT = "checkpoint"
_NEVER_SENT_AGAIN = {CHECKPOINT, STATEMENT}  # by itself
# As the KCL's Java side names them; a lease that was lost shows by itself.
_REFUSALS = {
    "throttle": "ThrottlingException",
    "conflict": "InvalidStateException",
    "lost": "KinesisClientLibDependencyException",
}

MOST_WAITING = 4


@dataclass(eq=False)
class _Waiting:
    """A fault and how many calls it has let pass."""

    action: Action
    passed: int = 0

    def is_due(self, operation: str, moment: str) -> bool:
        """Whether it breaks in upon this call; counts it if not."""
        if self.action.amid not in {"", operation} or not _fits(self.action.fault, operation, moment):
            return False
        self.passed += 1
        return self.passed > self.action.fault_at


class Faults:
    """The faults that wait, at most `MOST_WAITING`; ``do`` makes an action happen."""

    def __init__(self, do: Callable[[Action], None]) -> None:
        self._do = do
        self._waiting: deque[_Waiting] = deque(maxlen=MOST_WAITING)
        self.fired: Counter[tuple[str, str]] = Counter()  # by fault and operation

    def arm(self, action: Action) -> None:
        """From now on the action's fault waits for a call that it fits, be it amid this action or a later one."""
        self._waiting.append(_Waiting(action))

    def disarm(self) -> None:
        """Nothing fails any more."""
        self._waiting.clear()

    def touch(self, operation: str, _table: str, moment: str) -> bool:
        """See `tests.fakes.dynamodb.Touch`."""
        due = next((waiting for waiting in self._waiting if waiting.is_due(operation, moment)), None)
        if due is None:
            return False
        self._waiting.remove(due)
        action = due.action
        self.fired[action.fault, operation] += 1
        match action.fault:
            case "crash":
                raise CrashError
            case "throttle" | "conflict" | "lost" if operation == CHECKPOINT:
                raise CheckpointError(_REFUSALS[action.fault])
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
        return moment == BEFORE
    if operation in _READS or (fault == "again" and operation in _NEVER_SENT_AGAIN):
        return False
    return moment == (BEFORE if fault == "conflict" else AFTER)
