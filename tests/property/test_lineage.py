"""A DynamoDB stream over days, an aggregator that is up and down: a loss is always found, a prompt one never blamed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.lineage import Listing, StreamShard, gaps, unread
from headcount.model import Position, Progress

KEPT, ROW_KEPT, SHARD_LIVES = 24, 48, 4  # hours
HOUR_MS = 3_600_000


@dataclass
class Shard:
    """By the hour; records by number."""

    name: str
    parent: str | None
    opened: int
    closed: int | None = None
    records: list[tuple[int, int]] = field(default_factory=list)  # hour, number


@dataclass
class Model:
    """The stream by the hour; ``rolls``: an emulator's never does; ``marks``: a shard begun has a row from then on."""

    rolls: bool
    marks: bool
    now: int = 0
    number: int = 10
    up: bool = True
    counted: set[int] = field(default_factory=set)
    rows: dict[str, Progress] = field(default_factory=dict)
    expires: dict[str, int] = field(default_factory=dict)
    shards: list[Shard] = field(default_factory=lambda: [Shard("s0", None, 0)])

    def hour(self) -> None:
        """One passes: an old shard rolls, what is old goes, rows of ended shards expire."""
        self.now += 1
        last = self.shards[-1]
        if self.rolls and self.now - last.opened >= SHARD_LIVES:
            last.closed = self.now
            self.shards.append(Shard(f"s{self.now}", last.name, self.now))
        for name in [name for name, at in self.expires.items() if at < self.now]:
            self.rows.pop(name, None)
            del self.expires[name]
        if self.up:
            self.count()

    def record(self) -> None:
        """A change."""
        self.number += 1
        self.shards[-1].records.append((self.now, self.number))
        if self.up:
            self.count()

    def listed(self) -> list[Shard]:
        """What DescribeStream knows: closed shards for a day."""
        return [shard for shard in self.shards if shard.closed is None or self.now - shard.closed <= KEPT]

    def listing(self) -> Listing:
        """The same as the code sees it."""
        found = []
        for shard in self.listed():
            ending = None if shard.closed is None else str(max((n for _, n in shard.records), default=0))
            found.append(StreamShard(shard.name, shard.parent, "1", ending))
        return Listing(tuple(found), 0)

    def count(self) -> None:
        """What a KCL does that is up: all that is there, parents first. A rebuild does the same to the rows."""
        for shard in self.listed():
            row = self.rows.get(shard.name, Progress())
            if row.ended:
                continue
            left = [number for hour, number in shard.records if self.now - hour <= KEPT]
            self.counted.update(left)
            position = max([*left, row.position.sequence if row.position else 0])
            ended = shard.closed is not None
            if position or ended or self.marks:
                self.rows[shard.name] = replace(row, position=Position(position) if position else None, ended=ended)
            if ended:
                self.expires[shard.name] = self.now + ROW_KEPT

    def lost(self) -> bool:
        """Whether a record went that nobody had counted."""
        return any(
            self.now - hour > KEPT and number not in self.counted
            for shard in self.shards
            for hour, number in shard.records
        )

    def found(self) -> bool:
        """What a thorough look says."""
        listing = self.listing()
        by_name = {shard.name: shard for shard in self.shards}
        trimmed = False
        for shard, after in unread(listing, self.rows, self.now * HOUR_MS):
            gone = [number for hour, number in by_name[shard.shard_id].records if self.now - hour > KEPT]
            refused = bool(gone) and (after is None or after.sequence <= gone[-1])
            trimmed = trimmed or (refused and (after is None or shard.goes_beyond(after)))
        return bool(gaps(listing, self.rows)) or trimmed

    def rebuild(self) -> None:
        """Nothing is lost to what is counted anew."""
        self.counted.update(number for shard in self.shards for _, number in shard.records)
        names = {shard.name for shard in self.listed()}
        for name, row in self.rows.items():
            if name not in names and not row.ended:
                self.rows[name] = replace(row, ended=True)
                self.expires[name] = self.now + ROW_KEPT
        self.count()


STEPS = st.lists(st.one_of(st.just("record"), st.just("toggle"), st.integers(1, 30)), max_size=40)


@settings(max_examples=400, deadline=None)
@given(st.booleans(), STEPS)
def test_every_loss_is_found_before_counting_goes_on(marks: bool, steps: list[str | int]) -> None:
    model = Model(rolls=True, marks=marks)
    model.count()
    for step in steps:
        if step == "record":
            model.record()
        elif step == "toggle":
            if not model.up:
                if model.found():
                    model.rebuild()
                    assert not gaps(model.listing(), model.rows)
                else:
                    assert not model.lost()
                model.count()
            model.up = not model.up
        else:
            for _ in range(int(step)):
                model.hour()


@settings(max_examples=200, deadline=None)
@given(st.booleans(), st.booleans(), st.lists(st.one_of(st.just("record"), st.integers(1, 30)), max_size=40))
def test_an_aggregator_that_keeps_up_is_never_blamed(rolls: bool, marks: bool, steps: list[str | int]) -> None:
    """However quiet the table is, rows that expire included, and where shards never roll."""
    model = Model(rolls=rolls, marks=marks)
    model.count()
    for step in steps:
        if step == "record":
            model.record()
        else:
            for _ in range(int(step)):
                model.hour()
                assert gaps(model.listing(), model.rows) == []
    assert not model.lost()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.just("record"), st.integers(1, 10)), max_size=40), st.integers(0, 15))
def test_a_short_rest_is_no_loss(steps: list[str | int], rest: int) -> None:
    """A restart after less than a day minus a shard's life: nothing was trimmed, and nothing is said to be."""
    model = Model(rolls=True, marks=True)
    model.count()
    for step in steps:
        if step == "record":
            model.record()
        else:
            for _ in range(int(step)):
                model.hour()
    model.up = False
    for _ in range(rest):
        model.hour()
    assert not model.found()
