"""The counts as metrics, and the live audits."""

from collections.abc import Callable, Iterator

import pytest
import structlog
from botocore.exceptions import ConnectionClosedError
from prometheus_client import CollectorRegistry

from headcount.audit import Audit
from headcount.aws import Aws
from headcount.metrics import AuditMetrics, LevelMetrics
from headcount.model import LevelCount, LevelEvent, Transition
from headcount.settings import Settings
from headcount.tables.counts import Net
from level_aggregator.level_watch import (
    CONFIRM_AFTER_SECONDS,
    LOOK_SECONDS,
    OTHER,
    SUMS_AFTER_SECONDS,
    AuditWatch,
    LevelWatch,
    companions,
    fullest,
)
from tests.fakes.clock import Clock
from tests.fakes.counts import MemoryCounts
from tests.fakes.players import MemoryPlayers

LEVELS = {level: LevelCount(players, max(players, 0), 0) for level, players in zip("abcd", (3, 7, 0, -1), strict=True)}


@pytest.mark.parametrize(
    ("most", "shown"),
    [
        (0, {OTHER: 9}),
        (1, {"b": 7, OTHER: 2}),
        (2, {"b": 7, "a": 3, OTHER: -1}),
        (9, {"b": 7, "a": 3, "c": 0, "d": -1, OTHER: 0}),
    ],
)
def test_the_fullest_levels_are_shown_and_the_sum_is_all_players(most: int, shown: dict[str, int]) -> None:
    assert fullest(LEVELS, most) == shown
    assert sum(shown.values()) == 9


def test_a_level_that_has_the_name_of_all_others_is_among_them() -> None:
    assert fullest({OTHER: LevelCount(5, 5, 0), "a": LevelCount(1, 1, 0)}, 1) == {OTHER: 6}


def test_levels_of_the_same_size_keep_their_order() -> None:
    same = {level: LevelCount(1, 1, 0) for level in ("c", "a", "b")}

    assert list(fullest(same, 2)) == ["a", "b", OTHER]


class _Counts(MemoryCounts):
    def __init__(self) -> None:
        super().__init__()
        self.rows = LEVELS

    def levels(self) -> dict[str, LevelCount]:
        return self.rows


def test_a_level_that_is_no_more_among_the_fullest_loses_its_series() -> None:
    registry, counts, clock = CollectorRegistry(), _Counts(), Clock()
    watch = LevelWatch(counts, LevelMetrics(registry), 1, clock)

    assert watch.turn() == LOOK_SECONDS
    assert registry.get_sample_value("headcount_players", {"level": "b"}) == 7
    assert registry.get_sample_value("headcount_levels") == 2
    assert registry.get_sample_value("headcount_negative_levels") == 1
    assert registry.get_sample_value("headcount_level_state_timestamp_seconds") == clock()

    counts.rows = {"a": LevelCount(8, 8, 0), **{level: LEVELS[level] for level in "bc"}}
    watch.turn()
    assert registry.get_sample_value("headcount_players", {"level": "b"}) is None
    assert registry.get_sample_value("headcount_players", {"level": "a"}) == 8
    assert registry.get_sample_value("headcount_players", {"level": OTHER}) == 7
    assert registry.get_sample_value("headcount_negative_levels") == 0


class _Silent(MemoryCounts):
    """Gives no answer."""

    def transitions(self) -> Iterator[tuple[Transition, int]]:
        raise ConnectionClosedError(endpoint_url="memory")


class _Audited:
    def __init__(self, counts: MemoryCounts | None = None) -> None:
        self.registry, self.clock = CollectorRegistry(), Clock()
        self.players, self.counts = MemoryPlayers(), counts or MemoryCounts()
        audit = Audit(self.players, self.counts, self.clock.sleep)
        self.watch = AuditWatch(audit, AuditMetrics(self.registry), 900, self.clock, self._confirm)
        self.meanwhile: Callable[[], None] = lambda: None

    def _confirm(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.meanwhile()

    def audits(self) -> list[float | None]:
        """Exact, different, failed."""
        return [
            self.registry.get_sample_value("headcount_audits_total", {"result": result})
            for result in ("exact", "different", "failed")
        ]

    def count(self, level: str) -> None:
        net = Net()
        net.add(Transition(60, None, level))
        self.counts.entered += net.entered
        self.counts.made += net.transitions


def test_an_audit_is_told_and_no_player_is_named() -> None:
    audited = _Audited()
    audited.players.apply(LevelEvent("ann", "forest", 1))
    audited.count("forest")

    assert audited.watch.turn() == 900
    assert audited.audits() == [1, 0, 0]
    assert audited.registry.get_sample_value("headcount_audit_differences") == 0
    assert audited.registry.get_sample_value("headcount_audit_timestamp_seconds") == audited.clock()

    audited.count("forest")
    with structlog.testing.capture_logs() as lines:
        audited.watch.turn()
    assert audited.audits() == [1, 1, 0]
    assert audited.registry.get_sample_value("headcount_audit_differences") == 1
    assert [line["difference"] for line in lines if line["event"] == "audit: difference"] == [
        "I1 forest: playerCount is 2, should be 1 (off by +1)"
    ]
    assert "ann" not in str(lines)


def test_a_difference_of_an_aggregator_that_catches_up_is_none() -> None:
    """Its counts are off for longer than a live audit takes; told is only what stands for minutes."""
    audited = _Audited()
    audited.players.apply(LevelEvent("ann", "forest", 1))
    audited.meanwhile = lambda: audited.count("forest")

    begun = audited.clock()
    audited.watch.turn()

    assert audited.clock() - begun >= CONFIRM_AFTER_SECONDS
    assert audited.audits() == [1, 0, 0]


def test_an_audit_that_fails_is_counted_and_shows_nothing() -> None:
    audited = _Audited(_Silent())
    with pytest.raises(ConnectionClosedError):
        audited.watch.turn()
    assert audited.audits() == [0, 0, 1]
    assert audited.registry.get_sample_value("headcount_audit_timestamp_seconds") is None


def test_transitions_are_summed_up_once_a_day() -> None:
    """A sum that is off is found then, and told of by every audit until it is not."""
    audited = _Audited()
    assert audited.watch.turn() == 900
    audited.counts.made.update([Transition(60, None, "forest")])

    for _ in range(4):
        audited.watch.turn()
        audited.clock.sleep(900)
    assert audited.audits() == [5, 0, 0]

    audited.clock.sleep(SUMS_AFTER_SECONDS)
    audited.watch.turn()
    audited.watch.turn()
    assert audited.audits() == [5, 2, 0]
    audited.counts.made.clear()
    audited.watch.turn()
    assert audited.audits() == [6, 2, 0]


def test_an_interval_of_zero_is_no_audit() -> None:
    aws = Aws("us-east-1")

    def names(seconds: float) -> list[str]:
        return [companion.name for companion in companions(Settings(audit_interval_seconds=seconds), aws)]

    assert names(0) == ["level-watch"]
    assert names(900) == ["level-watch", "audit"]
