"""What happens in one simulated run, all of it from one seed: settings, the stream's records, and a list of actions.

Every action can be done in any state (where there is nothing to do, it does nothing), so that any part of a schedule is
a schedule: that is how a failing one is made short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HASHES = 1 << 16  # a record's shard is the one whose half-open range holds its key's hash

Kind = Literal["level", "other", "poison"]
Fault = Literal["", "crash", "meanwhile", "throttle", "conflict", "lost", "again"]

CONSUMER, AGGREGATOR = 0, 1
HOUR = 3600.0


@dataclass(frozen=True)
class Config:
    """Settings of the run, and how the world around it is.

    ``skews``: what the wall clocks of consumers and pruners are off by, s, in turn. ``most_items`` of a transaction
    (None: as DynamoDB has it). ``batch``: records that a service takes at once in the end. ``lags``: how old an answer
    of DynamoDB may be where no consistent read is asked for, s, in turn. ``losses``: whether changes may be lost to
    the counts. ``crowd``: whether many players are in many levels. ``pushed``: whether events are pushed (enhanced
    fan-out).
    """

    idle: float
    lateness: float
    silence: float
    refresh: float
    shards: int
    table_shards: int
    prefetch: int
    page: int
    most_items: int | None
    calm: bool
    skews: tuple[float, ...]
    lags: tuple[float, ...] = (0.0,)
    batch: int = 50
    poison_run: int = 0
    losses: bool = False
    crowd: bool = False
    transitions_kept: int = 604_800
    letters_kept: int = 2_592_000
    pushed: bool = False


@dataclass(frozen=True)
class Sent:
    """A record for the events' stream: when it arrives and what time it bears, s since the start; its key's hash."""

    arrives: float
    at: float
    key: int
    kind: Kind
    player: str = ""
    level: str = ""
    aggregated: bool = False
    kept_up: bool = False  # it was on time, but Enrich was down, for less than the silence that pruning waits


@dataclass(frozen=True)
class Action:
    """Something that happens; amid it, at its ``fault_at``-th call of a table, a ``fault``, maybe ``inner``."""

    what: str
    service: int = CONSUMER
    number: int = 0
    amount: int = 1
    seconds: float = 0.0
    fault: Fault = ""
    fault_at: int = 0
    amid: str = ""  # only calls of this operation count; empty: all
    inner: Action | None = None

    def __str__(self) -> str:
        words = [self.what]
        if self.what in {"wait", "hold"}:
            words.append(f"{self.seconds:g} s")
        else:
            words.append(f"{('consumer', 'aggregator')[self.service]} {self.number} (amount {self.amount})")
        if self.fault:
            words.append(f"with {self.fault} at call {self.fault_at} of {self.amid or 'any'}")
        if self.inner:
            words.append(f"[{self.inner}]")
        return " ".join(words)


@dataclass(frozen=True)
class Schedule:
    """One run."""

    seed: int
    config: Config
    sent: tuple[Sent, ...]
    actions: tuple[Action, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {self.config}", *(f"  {sent}" for sent in self.sent)]
        return "\n".join([*lines, *(f"  {number}. {action}" for number, action in enumerate(self.actions))])
