"""Dead letters back onto the stream: nothing lost, whatever Kinesis says. Rules 1, 5 and 6."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headcount.aws import UnavailableError
from headcount.dead_letters.letter import DeadLetter, Ending, Kept, Selection
from headcount.dead_letters.redrive import MOST_BYTES, MOST_RECORDS, Judge, Sender, Verdict, batches, redrive
from headcount.dead_letters.texts import refused as told_refused
from headcount.rules import CLOCK_SKEW_MS
from headcount.snowplow import EventReader
from tests.fakes.clock import Clock
from tests.fakes.inline import InlineExecutor
from tests.fakes.kinesis import FakeKinesis, Refuse, everything_taken
from tests.fakes.letters import MemoryDeadLetters
from tests.fakes.lines import NOON, event_line, other_line

READER = EventReader(frozenset(), "com.codecombat/level_context", "user_id", "level_slug")
THROTTLED = "ProvisionedThroughputExceededException"


def letter(number: int, raw: bytes = b"raw") -> DeadLetter:
    return DeadLetter("events@1", "shard-1", f"{number:064}", str(number), NOON, "bad_id", "why", raw)


def none_refused(one: DeadLetter, error: ClientError) -> None:
    raise AssertionError(one.key) from error


def store_of(*letters: DeadLetter) -> MemoryDeadLetters:
    store = MemoryDeadLetters()
    for one in letters:
        store.put(one)
    return store


def send_all(letters: list[DeadLetter], refuse: Refuse) -> tuple[FakeKinesis, MemoryDeadLetters, Clock]:
    kinesis, store, clock = FakeKinesis(refuse), store_of(*letters), Clock()
    for _ in redrive(letters, Sender(kinesis.client, "events", clock.sleep), store, InlineExecutor(), none_refused):
        pass
    return kinesis, store, clock


def test_what_is_sent_is_sent_to_the_byte_and_then_deleted() -> None:
    raws = [b"", b"\x00", bytes(range(256)), b"x" * 1_048_575]
    kinesis, store, clock = send_all([letter(n, raw) for n, raw in enumerate(raws)], everything_taken)

    assert kinesis.taken == raws
    assert store.letters == {}
    assert {letter(n).key: Ending.SENT for n in range(4)} == store.deleted
    assert clock.slept == []


def test_records_are_spread_over_the_shards() -> None:
    kinesis, _, _ = send_all([letter(n) for n in range(400)], everything_taken)

    halves = [key * 4 // 2**128 for key in kinesis.hash_keys]
    assert all(halves.count(quarter) > 60 for quarter in range(4))


def test_requests_keep_kinesis_limits() -> None:
    small = [letter(n) for n in range(MOST_RECORDS + 1)]
    large = [letter(n, b"x" * (MOST_BYTES // 5)) for n in range(6)]
    huge = [letter(1, b"x" * (MOST_BYTES * 2)), letter(2)]

    assert [len(batch) for batch in batches(small)] == [MOST_RECORDS, 1]
    assert [len(batch) for batch in batches(large)] == [4, 2]  # a partition key is a byte
    assert [len(batch) for batch in batches(huge)] == [1, 1]
    assert list(batches([])) == []


def test_throttled_records_are_tried_again_and_sent_once() -> None:
    def every_third(request: int, data: bytes) -> str | None:
        return THROTTLED if (request + int(data)) % 3 else None

    letters = [letter(n, str(n).encode()) for n in range(30)]
    kinesis, store, clock = send_all(letters, every_third)

    assert sorted(kinesis.taken, key=int) == [one.raw for one in letters]
    assert store.letters == {}
    assert clock.slept == [0.2, 0.2]


def test_what_is_never_taken_keeps_its_letter_and_the_rest_is_sent() -> None:
    letters = [letter(n, str(n).encode()) for n in range(3)]
    kinesis, store, clock = (
        FakeKinesis(lambda _, data: THROTTLED if data == b"1" else None),
        store_of(*letters),
        Clock(),
    )

    with pytest.raises(UnavailableError, match=r"took none of 1 records in 8 tries \(Provisioned.*are kept: run the"):
        list(redrive(letters, Sender(kinesis.client, "events", clock.sleep), store, InlineExecutor(), none_refused))

    assert kinesis.taken == [b"0", b"2"]
    assert list(store.letters.values()) == [letters[1]]
    assert clock.slept[0] == 0.2
    assert max(clock.slept) == 5.0


@pytest.mark.parametrize("code", ["ValidationException", "InvalidArgumentException"])
def test_letters_that_the_stream_refuses_are_kept_and_told_and_the_rest_is_sent_once(code: str) -> None:
    """A refusal is of the whole request. One of the others is throttled meanwhile."""
    too_large = b"x" * 1_200_000
    refusal = ClientError({"Error": {"Code": code, "Message": "too large"}}, "PutRecords")

    class SmallStream(FakeKinesis):
        def put_records(self, *, StreamName: str, Records: Sequence[Any]) -> Any:  # noqa: N803 (boto3's names)
            if any(record["Data"] == too_large for record in Records):
                raise refusal
            return super().put_records(StreamName=StreamName, Records=Records)

    letters = [letter(n, too_large if n in {0, 7, 8} else str(n).encode()) for n in range(20)]
    kinesis, store = SmallStream(lambda request, data: THROTTLED if (request, data) == (1, b"1") else None), store_of()
    for one in letters:
        store.put(one)
    refused: list[tuple[DeadLetter, ClientError]] = []
    sender = Sender(kinesis.client, "events", Clock().sleep)
    done = list(redrive(letters, sender, store, InlineExecutor(), lambda *both: refused.append(both)))

    kept = [letters[n] for n in (0, 7, 8)]
    assert refused == [(one, refusal) for one in kept]
    assert list(store.letters.values()) == kept
    assert sorted(kinesis.taken, key=int) == [one.raw for one in letters if one not in kept]
    assert done[-1] == 17


def test_a_letter_that_is_refused_is_told_by_key_size_and_the_word_of_aws() -> None:
    error = ClientError({"Error": {"Code": "ValidationException", "Message": "1 validation error"}}, "PutRecords")

    assert told_refused(letter(1, b"four"), error) == (
        f"The stream refuses the record of dead letter {letter(1).key} (4 bytes): "
        "ValidationException: 1 validation error"
    )


def test_a_refused_request_deletes_only_what_was_taken_before() -> None:
    def refuse(request: int, data: bytes) -> str | None:
        if request == 2:
            raise ClientError({"Error": {"Code": "KMSDisabledException", "Message": "off"}}, "PutRecords")
        return None if data == b"0" else "InternalFailure"

    letters = [letter(n, str(n).encode()) for n in range(3)]
    kinesis, store = FakeKinesis(refuse), store_of(*letters)

    with pytest.raises(ClientError):
        list(redrive(letters, Sender(kinesis.client, "events", Clock().sleep), store, InlineExecutor(), none_refused))

    assert kinesis.taken == [b"0"]
    assert list(store.letters.values()) == letters[1:]


def test_a_crash_after_the_sending_sends_twice_and_loses_nothing() -> None:
    crashes = [True]

    def crash(operation: str, moment: str) -> None:
        if (operation, moment) == ("dead_letters.delete", "before") and crashes.pop():
            raise OSError

    letters = [letter(1, b"1"), letter(2, b"2")]
    kinesis, store = FakeKinesis(), MemoryDeadLetters(crash)
    for one in letters:
        store.put(one)
    sender = Sender(kinesis.client, "events", Clock().sleep)
    with pytest.raises(OSError, match=r"^$"):
        list(redrive(letters, sender, store, InlineExecutor(), none_refused))
    crashes.extend([False] * 9)
    kept = [found.letter for heading in store.headings(Selection()) if (found := store.get(heading.key))]
    list(redrive(kept, sender, store, InlineExecutor(), none_refused))

    assert kinesis.taken == [b"1", b"2"] * 2
    assert store.letters == {}


def test_each_letter_is_judged_by_the_present_code_settings_and_cutoff() -> None:
    clock = Clock(NOON / 1000)
    judge = Judge(READER, NOON, clock)
    cases = {
        Verdict.LEVEL_EVENT: Kept(letter(1, event_line("ann", "A", NOON))),
        Verdict.LATE: Kept(letter(2, event_line("ann", "A", NOON - 1))),
        Verdict.IGNORED: Kept(letter(3, other_line(NOON - 1))),
        Verdict.POISON: Kept(letter(4, b"no event")),
        Verdict.INCOMPLETE: Kept(letter(5, event_line("ann", "A", NOON)), 2, (2,)),
        Verdict.SENT_BEFORE: Kept(letter(6, event_line("ann", "A", NOON)), 2, (2,), Ending.SENT),
        Verdict.DELETED_BEFORE: Kept(letter(7, event_line("ann", "A", NOON)), 2, (), Ending.DELETED),
    }
    assert {verdict: judge.verdict(kept)[0] for verdict, kept in cases.items()} == {case: case for case in cases}

    forecast = judge.forecast(cases.values())
    assert forecast.poison == {"column_count": 1}
    assert forecast.size == sum(len(kept.letter.raw) for kept in cases.values())
    assert (forecast.sendable(even_poison=False), forecast.sendable(even_poison=True)) == (3, 4)
    sent = [one.position[-1] for one in judge.sendable(cases.values(), even_poison=False)]
    assert sent == ["1", "2", "3"]
    assert [one.position[-1] for one in judge.sendable(cases.values(), even_poison=True)] == ["1", "2", "3", "4"]


def test_without_a_cutoff_nothing_is_late_and_a_time_in_the_future_is_clamped_first() -> None:
    clock = Clock(NOON / 1000)
    future = Kept(letter(1, event_line("ann", "A", NOON * 2)))

    assert Judge(READER, None, clock).verdict(Kept(letter(1, event_line("ann", "A", 1))))[0] is Verdict.LEVEL_EVENT
    assert Judge(READER, NOON + CLOCK_SKEW_MS, clock).verdict(future)[0] is Verdict.LEVEL_EVENT
    assert Judge(READER, NOON + CLOCK_SKEW_MS + 1, clock).verdict(future)[0] is Verdict.LATE


def test_other_settings_read_what_could_not_be_read() -> None:
    raw = event_line("ann", "A", NOON).replace(b'"user_id":"ann"', b'"user_id":7,"account":"ann"')
    other = replace(READER, player_field="account")

    assert Judge(READER, None).verdict(Kept(letter(1, raw))) == (Verdict.POISON, "bad_id")
    assert Judge(other, None).verdict(Kept(letter(1, raw))) == (Verdict.LEVEL_EVENT, "")
