"""What a `tests.fault.toxic.Toxic` does to calls: each kind of illness that DynamoDB, or the way to it, may have."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from random import Random

import orjson

from tests.fault.toxic import Answer, Forward, Toxic
from tests.integration.calls import Call

LATENCY_SECONDS = 2.0
HELD_SECONDS = 60.0
_API = "com.amazonaws.dynamodb.v20120810#"
_WRITES = {"UpdateItem", "BatchExecuteStatement", "PutItem", "DeleteItem", "TransactWriteItems"}

Which = Callable[[Call], bool]
Effect = Callable[[Call, Forward], Awaitable[Answer | None]]


def every(call: Call) -> bool:
    """Any call of DynamoDB."""
    return call.target.startswith("DynamoDB_")


def writes(call: Call) -> bool:
    """A call that changes a table."""
    return every(call) and operation(call) in _WRITES


def operation(call: Call) -> str:
    """Such as ``UpdateItem``."""
    return call.target.partition(".")[2]


async def lose(_: Call, forward: Forward) -> None:
    """The answer is lost after the commit."""
    await forward()


async def reset(_: Call, __: Forward) -> None:
    """The connection breaks before DynamoDB hears of anything."""


async def fail(_: Call, __: Forward) -> Answer:
    """DynamoDB has a fault of its own."""
    return _refusal(500, "InternalServerError", "The request processing has failed because of an unknown error.")


async def throttle(call: Call, _: Forward) -> Answer:
    """More is asked for than the table takes; a transaction says so per item."""
    why = "Throughput exceeds the current capacity of your table or index."
    if operation(call) != "TransactWriteItems":
        return _refusal(400, "ThrottlingException", why)
    parts = len(call.body["TransactItems"])
    reasons = [{"Code": "None"}] * (parts - 1) + [{"Code": "ThrottlingError", "Message": why}]
    told = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{told}]"
    return _refusal(400, "TransactionCanceledException", message, CancellationReasons=reasons)


async def slow_down(_: Call, forward: Forward) -> Answer:
    """Everything takes its time."""
    await asyncio.sleep(LATENCY_SECONDS)
    return await forward()


async def deny(_: Call, __: Forward) -> Answer:
    """A policy, or a key, has changed."""
    return _refusal(400, "AccessDeniedException", "User is not authorized to perform this operation.")


class Often:
    """Does ``effect`` to a share of the calls that ``which`` names, at random by ``seed``; counts them."""

    def __init__(self, effect: Effect, which: Which, share: float, seed: int) -> None:
        self._effect, self._which, self._share, self._rng = effect, which, share, Random(seed)
        self.hit = 0

    async def treat(self, call: Call, forward: Forward) -> Answer | None:
        """See `tests.fault.toxic.Ill`."""
        if not self._which(call) or self._rng.random() >= self._share:
            return await forward()
        self.hit += 1
        return await self._effect(call, forward)


class Holding:
    """Holds the first call that ``which`` names until it is released, however long that takes."""

    def __init__(self, toxic: Toxic, which: Which) -> None:
        self._toxic, self._which = toxic, which
        self._released = asyncio.Event()
        self._answered = threading.Event()
        self.held: Call | None = None
        self._answer: Answer | None = None

    async def treat(self, call: Call, forward: Forward) -> Answer | None:
        """See `tests.fault.toxic.Ill`."""
        if self.held is not None or not self._which(call):
            return await forward()
        self.held = call
        await self._released.wait()
        self._answer = await forward()
        self._answered.set()
        return self._answer

    def release(self) -> Answer:
        """Let DynamoDB have it now; what it said."""
        self._toxic.in_loop(self._released.set)
        assert self._answered.wait(HELD_SECONDS)
        assert self._answer is not None
        return self._answer


def _refusal(status: int, kind: str, message: str, **more: object) -> Answer:
    body = orjson.dumps({"__type": _API + kind, "message": message, **more})
    return Answer(status, [("content-type", "application/x-amz-json-1.0")], body)
