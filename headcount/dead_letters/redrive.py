"""Puts dead letters back onto the events' stream: judged beforehand, sent, and deleted once Kinesis has taken them.

The order matters. A crash between the two gives a record twice, which changes no count (rule 1), but adds to the
tallies; the other order would lose it. The record's time of arrival is new, its ``at`` stays: rules 5 and 6 hold.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from headcount.aws import UnavailableError
from headcount.dead_letters.letter import Ending
from headcount.model import IgnoredEvent, PoisonError
from headcount.rules import clamped, is_late

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

    from headcount.dead_letters.letter import DeadLetter, DeadLetters, Kept
    from headcount.snowplow import EventReader

    Refused = Callable[[DeadLetter, ClientError], object]

# Of one request; AWS has allowed twice the bytes since records may have 10 MB.
MOST_RECORDS = 500
MOST_BYTES = 5_000_000

# Of a whole request, for one of its records: mostly it is larger than the stream takes.
_REFUSALS = frozenset({"InvalidArgumentException", "ValidationException"})

_TRIES = 8  # without a single record taken
_LEAST_PAUSE, _MOST_PAUSE = 0.2, 5.0  # seconds


class Verdict(Enum):
    """What would become of a letter's record if it were sent now."""

    LEVEL_EVENT = auto()  # applied, or stale
    IGNORED = auto()
    LATE = auto()
    POISON = auto()
    INCOMPLETE = auto()  # the letter has lost a part
    SENT_BEFORE = auto()  # its deletion was cut short
    DELETED_BEFORE = auto()  # likewise


_NEVER_SENT = frozenset({Verdict.INCOMPLETE, Verdict.SENT_BEFORE, Verdict.DELETED_BEFORE})
_ENDINGS = {Ending.SENT: Verdict.SENT_BEFORE, Ending.DELETED: Verdict.DELETED_BEFORE}


@dataclass
class Forecast:
    """How many letters have which verdict; ``poison``: by reason."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    poison: Counter[str] = field(default_factory=Counter)
    size: int = 0

    def sendable(self, *, even_poison: bool) -> int:
        """How many of them would be sent."""
        return sum(count for verdict, count in self.verdicts.items() if _may_go(verdict, even_poison=even_poison))


@dataclass(frozen=True)
class Judge:
    """Reads letters with the present code and settings, against the cutoff (``pruner/cutoff``)."""

    reader: EventReader
    cutoff: int | None
    wall: Callable[[], float] = time.time

    def verdict(self, kept: Kept) -> tuple[Verdict, str]:
        """Of one letter; the reason where it is still poison."""
        if kept.ending is not None:
            return _ENDINGS[kept.ending], ""
        if kept.missing:
            return Verdict.INCOMPLETE, ""
        try:
            read = self.reader.read(kept.letter.raw)
        except PoisonError as poison:
            return Verdict.POISON, poison.reason
        if isinstance(read, IgnoredEvent):
            return Verdict.IGNORED, ""
        late = is_late(clamped(read.at, round(self.wall() * 1000)), self.cutoff)
        return (Verdict.LATE if late else Verdict.LEVEL_EVENT), ""

    def forecast(self, letters: Iterable[Kept]) -> Forecast:
        """Of all these letters; keeps none of them."""
        forecast = Forecast()
        for kept in letters:
            verdict, reason = self.verdict(kept)
            forecast.verdicts[verdict] += 1
            forecast.size += len(kept.letter.raw)
            if reason:
                forecast.poison[reason] += 1
        return forecast

    def sendable(self, letters: Iterable[Kept], *, even_poison: bool) -> Iterator[DeadLetter]:
        """Those that may be sent, judged anew."""
        for kept in letters:
            verdict, _ = self.verdict(kept)
            if _may_go(verdict, even_poison=even_poison):
                yield kept.letter


def _may_go(verdict: Verdict, *, even_poison: bool) -> bool:
    return verdict not in _NEVER_SENT and (even_poison or verdict is not Verdict.POISON)


class Sender:
    """Puts records onto a Kinesis stream, spread evenly over its shards."""

    def __init__(self, client: KinesisClient, stream: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._stream, self._sleep = client, stream, sleep

    def send(self, letters: Sequence[DeadLetter], refused: Refused) -> Iterator[list[DeadLetter]]:
        """Send at most `MOST_RECORDS` letters; yields those that were taken, as soon as they are.

        What was throttled is tried again. A request that is refused for what is in it is halved, until the letter that
        is at fault is alone: ``refused`` gets it, the rest goes on. Raises `UnavailableError` once nothing was taken
        for many tries, and botocore's other errors.
        """
        portions, tries = [list(letters)], 0
        while portions:
            waiting = portions.pop()
            try:
                answers = self._client.put_records(StreamName=self._stream, Records=[_entry(one) for one in waiting])
            except ClientError as error:
                if error.response["Error"]["Code"] not in _REFUSALS:
                    raise
                if middle := len(waiting) // 2:
                    portions += [waiting[middle:], waiting[:middle]]
                else:
                    refused(waiting[0], error)
                continue
            both = list(zip(waiting, answers["Records"], strict=True))
            taken = [letter for letter, answer in both if "ErrorCode" not in answer]
            if taken:
                yield taken
            throttled = [(letter, answer["ErrorCode"]) for letter, answer in both if "ErrorCode" in answer]
            tries = 0 if taken else tries + 1
            if tries == _TRIES:
                codes = ", ".join(sorted({code for _, code in throttled}))
                raise UnavailableError(
                    f"Kinesis stream {self._stream} took none of {len(waiting)} records in {_TRIES} tries ({codes}). "
                    "Their dead letters are kept: run the command again later."
                )
            if throttled:
                portions.append([letter for letter, _ in throttled])
                self._sleep(min(_MOST_PAUSE, _LEAST_PAUSE * 2**tries))


def redrive(
    letters: Iterable[DeadLetter], sender: Sender, store: DeadLetters, deleters: Executor, refused: Refused
) -> Iterator[int]:
    """Send the letters and delete each once it is taken; yields how many are done, again and again.

    ``refused`` gets each letter that the stream refuses for good, with the reason; it is kept.
    """
    done = 0
    for batch in batches(letters):
        for taken in sender.send(batch, refused):
            list(deleters.map(partial(store.delete, why=Ending.SENT), [letter.key for letter in taken]))
            done += len(taken)
            yield done


def batches(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Cut into what one request may hold."""
    batch: list[DeadLetter] = []
    size = 0
    for letter in letters:
        its_size = len(letter.raw) + 1
        if batch and (len(batch) == MOST_RECORDS or size + its_size > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(letter)
        size += its_size
    if batch:
        yield batch


def _entry(letter: DeadLetter) -> PutRecordsRequestEntryTypeDef:
    # The partition key counts into the record's size: with the shortest one whatever was a record fits again.
    hash_key = int.from_bytes(hashlib.sha256(letter.key.encode()).digest()[:16], "big")
    return {"Data": letter.raw, "PartitionKey": "-", "ExplicitHashKey": str(hash_key)}
