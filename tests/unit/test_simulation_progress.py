"""What `make simulate` tells while it runs."""

from tests.fakes.clock import Clock
from tests.simulation.__main__ import Progress, seeds_of


def test_progress_is_told_every_ten_seconds_however_few_seeds_that_are() -> None:
    clock = Clock()
    progress = Progress(clock)

    told = []
    for seed in range(1, 28):
        clock.now += 1
        told.append(progress.line(seed, 0))

    assert [line for line in told if line] == ["10 seeds in 10 s, 0 failed", "20 seeds in 20 s, 0 failed"]


def test_one_seed_is_told_in_the_singular() -> None:
    assert [seeds_of(1), seeds_of(2)] == ["1 seed", "2 seeds"]
