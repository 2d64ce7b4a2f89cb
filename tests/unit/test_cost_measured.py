"""The model against the services' own code: what they write of a game in memory is what it says."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog

from headcount.cost.load import Load, Pace
from headcount.settings import Settings
from tests.fakes.metered_game import MeteredGame, modelled

# Moves are many, so that the figures hardly depend on chance.
LOAD = Load(
    20, 150, levels=20, shards=3, level_share=1, events_per_level=8, events_per_minute_and_player=10, session_minutes=8
)


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """A line for each write would take most of the time."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("stable", [True, False], ids=["stable_keys", "random_keys"])
def test_write_units_by_table_are_what_the_model_says(*, stable: bool) -> None:
    load, settings = replace(LOAD, stable_keys=stable), Settings(idle_timeout_seconds=100, refresh_seconds=40)
    game = MeteredGame(load, settings)
    game.run(160)  # until players leave as fast as they come

    events, units = game.run(400)

    measured = {table: count / events for table, count in units.items()}
    assert measured == pytest.approx(modelled(load, Pace.of(settings)), rel=0.07)
