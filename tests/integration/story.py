"""A day of a small game, told by hand: what is sent, chapter by chapter, and what the tables then hold."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from headcount.model import LevelCount, PlayerRow, Transition
from tests.integration.events import broken_context, level_event, longest, other_event, poisons
from tests.integration.service import Service
from tests.integration.sites import Letter, Site, State, shard_id
from tests.integration.waiting import eventually

SECOND, MINUTE = 1000, 60
HOUR_MS = 3_600_000
SETTLE_SECONDS = 150.0  # patience: LocalStack's Kinesis takes some 50 records a second, and it is not alone
CROWD = 40  # players per shard that come and go
IDLE, LATENESS = 300, 10  # seconds: the defaults

Levels = dict[str, LevelCount]

EVERYBODY = 2 * CROWD
MORNING: Levels = {
    "forest": LevelCount(3, 4, 1),
    "castle": LevelCount(2, 3, 1),
    "swamp": LevelCount(0, 1, 1),
    "alpha": LevelCount(0, 1, 1),
    "beta": LevelCount(1, 1, 0),
}
NOON = MORNING | {
    "lobby": LevelCount(0, EVERYBODY, EVERYBODY),
    "hall": LevelCount(0, EVERYBODY, EVERYBODY),
    "arena": LevelCount(EVERYBODY, EVERYBODY, 0),
}
EVENING = NOON | {
    "forest": LevelCount(0, 4, 4),
    "castle": LevelCount(1, 3, 2),
    "swamp": LevelCount(1, 2, 1),
    "beta": LevelCount(0, 1, 1),
    "arena": LevelCount(0, EVERYBODY, EVERYBODY),
}
NIGHT = EVENING | {"forest": LevelCount(2, 6, 4)}


@dataclass
class Story:
    """The services at work, what was sent to them, and what must have become of it."""

    site: Site
    services: dict[str, Service]
    base: int = 0  # ms: a whole minute about an hour ago, second 0 of the story
    outcomes: Counter[str] = field(default_factory=Counter)
    letters: list[Letter] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the story's clock."""
        self.base = (round(time.time() * SECOND) - HOUR_MS) // (MINUTE * SECOND) * MINUTE * SECOND

    def at(self, second: float) -> int:
        """A second of the story as event time."""
        return self.base + round(second * SECOND)

    def minute(self, number: int) -> int:
        """A minute of the story as the period of a transition."""
        return self.base // SECOND + number * MINUTE

    def row(self, level: str, second: float) -> PlayerRow:
        """A row of PlayerState."""
        return PlayerRow(level, self.at(second))

    def send(self, shard: int, outcome: str, *lines: bytes) -> None:
        """Send records that all end so."""
        self.site.put(shard, *lines)
        self.outcomes[outcome] += len(lines)

    def send_poison(self, shard: int, broken: list[tuple[str, bytes]] | None = None) -> None:
        """Send records that can't be read: one of each kind unless told."""
        broken = poisons(self.at(50)) if broken is None else broken
        numbers = self.site.put(shard, *(line for _, line in broken))
        self.letters += [
            (shard_id(shard), number, reason, line) for number, (reason, line) in zip(numbers, broken, strict=True)
        ]
        self.outcomes["dead_lettered"] += len(broken)

    def settled(self, levels: Levels) -> State:
        """The state once every record has its outcome and LevelState is ``levels``, or after a long wait."""
        with suppress(AssertionError):
            eventually(lambda: self.site.tallies().total() >= self.outcomes.total(), SETTLE_SECONDS, "outcomes")
            eventually(lambda: self.site.counts.levels() == levels, SETTLE_SECONDS, "LevelState")
        return self.site.state()

    def morning(self) -> None:
        """Every kind of record, poison between the others; no answer depends on where batches are cut."""
        at = self.at
        self.send(0, "applied", level_event("ana", "forest", at(0)), level_event("ana", "forest", at(5)))
        self.send_poison(0)
        self.send(0, "applied", level_event("ben", "forest", at(10)))
        self.send(0, "applied", level_event("eve", "alpha", at(40)), level_event("eve", "beta", at(40)))
        self.send(0, "applied", level_event("ana", "castle", at(61)))
        self.send(1, "applied", level_event("cid", "castle", at(3)), level_event("cid", "swamp", at(20)))
        self.send(1, "ignored", other_event(at(21)), broken_context(at(24), app_id="other"))
        self.send(1, "ignored", level_event(None, "forest", at(22)), level_event("cid", None, at(23)))
        self.send(1, "ignored", level_event("cid", "forest", at(25), app_id="other"))
        self.send(1, "applied", level_event("dee", "forest", at(30)), longest(level_event("max", "forest", at(31))))
        self.send_poison(1)
        self.send(1, "applied", level_event("cid", "castle", at(65)))

    def echoes(self) -> None:
        """What is older than the row of its player, or the same again, on either shard."""
        at = self.at
        self.send(0, "stale", level_event("ana", "forest", at(5)), level_event("eve", "alpha", at(40)))
        self.send(0, "stale", level_event("dee", "castle", at(29.999)), level_event("eve", "beta", at(40)))
        self.send(1, "stale", level_event("dee", "forest", at(30)), level_event("ana", "castle", at(61)))

    def crowd(self, level: str, second: float) -> None:
        """Many players enter a level."""
        for shard in range(self.site.shards):
            names = [f"crowd-{shard}-{number}" for number in range(CROWD)]
            self.send(shard, "applied", *(level_event(name, level, self.at(second)) for name in names))
            self.send_poison(shard, [("column_count", level.encode())])

    def silence(self) -> None:
        """Two go on playing; then only other events come, and the others' time is up."""
        self.send(0, "applied", level_event("ana", "castle", self.at(200)))
        self.send(1, "applied", level_event("cid", "swamp", self.at(150)))
        for shard in range(self.site.shards):
            self.send(shard, "ignored", other_event(self.at(400)))
        cutoff = self.at(400 - IDLE - LATENESS)
        eventually(lambda: self.site.progress.cutoff().completed == cutoff, SETTLE_SECONDS, "a pass at the cutoff")

    def latecomers(self) -> None:
        """Events before the cutoff, at it and after it, of players who have left or were never seen."""
        at = self.at
        self.send(0, "late", level_event("ben", "forest", at(80)), level_event("zoe", "forest", at(89.999)))
        self.send(0, "applied", level_event("fay", "forest", at(90)))
        self.send(1, "applied", level_event("dee", "forest", at(120)))

    def move(self, minute: int, source: str | None, target: str | None) -> Transition:
        """A row of Transitions."""
        return Transition(self.minute(minute), source, target)


@dataclass
class Told:
    """What was seen after each chapter."""

    story: Story
    states: dict[str, State] = field(default_factory=dict)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)

    def note(self, chapter: str, levels: Levels) -> None:
        """Wait until the chapter has come to its end, and look."""
        self.states[chapter] = self.story.settled(levels)
        self.outcomes[chapter] = self.story.outcomes.copy()
