"""The end of a run: everything sent has been counted, and nothing is under way."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests.system import engine
from tests.system.game import Game
from tests.system.tables import Aws, Level, Move

SETTLE_SECONDS = 180
STOP_SECONDS = 75  # what is under way may take 30


def eventually(holds: Callable[[], bool], seconds: float, what: Callable[[], str]) -> float:
    """Wait until ``holds``; returns after how many seconds. Raises `AssertionError` saying ``what`` is still so."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"after {seconds:.0f} s: {what()}")
        time.sleep(0.5)
    return time.monotonic() - begun


@dataclass(frozen=True)
class Outcome:
    """What the tables hold at rest, and the truth of the game; ``records``: on the stream, from its beginning."""

    players: dict[str, tuple[str, int]]
    levels: dict[str, Level]
    transitions: Counter[Move]
    tallies: Counter[str]
    records: int
    cutoff: int
    truth: dict[str, tuple[str, int]]

    @classmethod
    def of(cls, aws: Aws, game: Game) -> Self:
        """Stop what sends, wait until all of it has its outcome, and until two looks at the tables are alike."""
        game.finish()
        for container in engine.containers("traffic"):
            ended = engine.stop(container, STOP_SECONDS)
            assert ended.exit_code == 0, f"the demo's traffic ended with {ended}"
        records = aws.records()
        eventually(
            lambda: aws.tallies().total() >= records,
            SETTLE_SECONDS,
            lambda: f"{records} records on the stream, outcomes: {aws.tallies()}",
        )
        truth = game.truth()
        looks: list[Self] = []

        def at_rest() -> bool:
            cutoff, completed = aws.cutoff()
            look = cls(aws.players(), aws.levels(), aws.transitions(), aws.tallies(), records, cutoff, truth)
            looks.append(look)
            return cutoff == completed and not look.miscounted and looks[-2:-1] == [look]

        def unrest() -> str:
            return f"cutoff, completed: {aws.cutoff()}; counted, should be: {looks[-1].miscounted}"

        eventually(at_rest, SETTLE_SECONDS, unrest)
        return looks[-1]

    @property
    def miscounted(self) -> dict[str, tuple[int, int]]:
        """Levels whose count is not the number of their players: both numbers."""
        recount = Counter(level for level, _ in self.players.values())
        counted = {level: row.players for level, row in self.levels.items()}
        both = {level: (counted.get(level, 0), recount[level]) for level in counted.keys() | recount.keys()}
        return {level: pair for level, pair in both.items() if pair[0] != pair[1]}
