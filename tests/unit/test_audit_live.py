"""The live audit: a difference that stands while the counts themselves move."""

from collections.abc import Iterator

from headcount.audit import Audit
from headcount.model import LevelCount, PlayerRow, Transition
from tests.fakes.counts import MemoryCounts
from tests.fakes.players import MemoryPlayers


class _BusyCounts(MemoryCounts):
    """Each look at the level finds more players than the last one: ``off`` more than there are."""

    def __init__(self, players: MemoryPlayers, offs: list[int]) -> None:
        super().__init__()
        self._players, self._offs = players, iter(offs)

    def levels(self) -> dict[str, LevelCount]:
        number = len(self._players.rows)
        for more in range(7):
            self._players.rows[f"p{number + more}"] = PlayerRow("a", 0)
        count = len(self._players.rows) + next(self._offs)
        return {"a": LevelCount(count, count, 0)}

    def transitions(self) -> Iterator[tuple[Transition, int]]:
        return iter(())


def _live(*offs: int) -> list[int]:
    players = MemoryPlayers()
    return [found.off for found in Audit(players, _BusyCounts(players, list(offs)), sleep=lambda _: None).live()]


def test_a_level_that_is_always_off_by_one_is_reported_however_busy_it_is() -> None:
    assert _live(1, 1, 1) == [1]


def test_what_is_on_its_way_is_not() -> None:
    assert _live(-3, -1, -2) == []
    assert _live(1, 1, 0) == []
