"""After all that was done to the containers, the tables hold exactly what the game says."""

from collections import Counter

from tests.system import engine
from tests.system.game import Game
from tests.system.outcome import Outcome


def idle_ms() -> int:
    """The idle timeout that the pruner runs with."""
    [container, *_] = engine.containers("pruner")
    return round(float(engine.variable(container, "HEADCOUNT_IDLE_TIMEOUT_SECONDS")) * 1000)


def test_every_player_is_where_the_newest_event_says_or_has_left(outcome: Outcome, game: Game) -> None:
    """I3."""
    ours = {player: row for player, row in outcome.players.items() if player in outcome.truth}
    assert ours == {player: row for player, row in outcome.truth.items() if row[1] >= outcome.cutoff}
    left = [player for player in game.gone if player not in ours]
    assert left, "nobody who fell silent has left: the run was too short to show it"


def test_every_level_counts_its_players(outcome: Outcome) -> None:
    """I1 and I2, of the demo's levels too."""
    assert outcome.players
    assert outcome.miscounted == {}
    assert all(row.players >= 0 for row in outcome.levels.values())


def test_entered_minus_left_is_the_count_and_transitions_sum_to_both(outcome: Outcome) -> None:
    """I4."""
    entered: Counter[str | None] = Counter()
    left: Counter[str | None] = Counter()
    for (_, source, target), count in outcome.transitions.items():
        entered[target] += count
        left[source] += count
    for level, row in outcome.levels.items():
        assert (row.entered - row.left, row.entered, row.left) == (row.players, entered[level], left[level]), level


def test_every_move_of_the_game_is_counted_once_in_its_minute(outcome: Outcome, game: Game) -> None:
    """The game's events of one player come in order, so there is one right answer (rule 8)."""
    names = set(game.level_names)
    ours = Counter({move: n for move, n in outcome.transitions.items() if names & {move[1], move[2]}})
    gone = (player for player, row in outcome.truth.items() if row[1] < outcome.cutoff)
    expected = game.moves() + Counter(game.leave(player, idle_ms()) for player in gone)
    assert ours == expected


def test_every_record_of_the_stream_has_one_outcome(outcome: Outcome) -> None:
    """I5."""
    assert outcome.tallies.total() == outcome.records
