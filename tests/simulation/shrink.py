"""The shortest schedule that still fails, as far as it can be found: delta debugging (Zeller and Hildebrandt, 2002)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.schedule import Schedule

Part = TypeVar("Part")

MOST_TRIES = 2000


def shortest(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """``schedule`` with as few records and actions, and of these as few faults, as still make it fail."""
    tries = 0

    def still(candidate: Schedule) -> bool:
        nonlocal tries
        tries += 1
        return tries <= MOST_TRIES and fails(candidate)

    while True:
        before = schedule
        schedule = _fewer_records(_calmer(_fewer_actions(schedule, still), still), still)
        if schedule == before or tries > MOST_TRIES:
            return schedule


def _fewer_actions(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    return replace(schedule, actions=_fewest(schedule.actions, lambda some: fails(replace(schedule, actions=some))))


def _fewer_records(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    return replace(schedule, sent=_fewest(schedule.sent, lambda some: fails(replace(schedule, sent=some))))


def _calmer(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """Without the faults that it does not need."""
    for number, action in enumerate(schedule.actions):
        if action.fault:
            calm = replace(action, fault="", fault_at=0, amid="", inner=None)
            candidate = replace(schedule, actions=(*schedule.actions[:number], calm, *schedule.actions[number + 1 :]))
            if fails(candidate):
                schedule = candidate
    return schedule


def _fewest(parts: tuple[Part, ...], fails: Callable[[tuple[Part, ...]], bool]) -> tuple[Part, ...]:
    """A part of ``parts`` none of whose pieces can be left out."""
    size = len(parts)
    while size:
        at = 0
        while at < len(parts):
            rest = (*parts[:at], *parts[at + size :])
            if fails(rest):
                parts = rest
            else:
                at += size
        size //= 2
    return parts
