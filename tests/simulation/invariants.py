"""What must hold once everything is read, pruned and counted. Rules and invariants by their numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from headcount.audit import Audit
from headcount.model import Outcome, PlayerRow, Transition
from headcount.rules import MINUTE_MS
from tests.simulation.records import IDENTITY

if TYPE_CHECKING:
    from tests.simulation.records import Arrived
    from tests.simulation.world import World

CONSUMER_ROWS = f"consumer/{IDENTITY}/"


def assert_right(world: World) -> None:
    """I1 to I5; I6 was watched all the time."""
    _assert_counts(world)
    _assert_rows(world)
    _assert_transitions(world)
    _assert_tallies(world)


def _all(world: World) -> list[Arrived]:
    return [one for arrivals in world.watching.arrivals.values() for one in arrivals]


def _assert_counts(world: World) -> None:
    """I1, I2, I4: by the audit, and without it."""
    players = Counter(row["levelId"]["S"] for row in world.client.tables["PlayerState"].items.values())
    levels = world.client.tables["LevelState"].items.values()
    counted = Counter({row["levelId"]["S"]: int(row["playerCount"]["N"]) for row in levels})
    assert all(count >= 0 for count in counted.values()), f"I2: {counted}"
    assert counted == players, f"I1: {counted} of {players}"
    whole = not world.losses.rebuilds and not world.watching.expired_transitions
    differences = Audit(world.players, world.counts).strict(none_expired=whole)
    assert not differences, f"{'; '.join(map(str, differences))}"


def _assert_rows(world: World) -> None:
    """I3: the greatest event per player, of those at or after the cutoff of the last complete pass (rules 1, 5, 6)."""
    cutoff = world.progress.cutoff()
    assert cutoff.cutoff == cutoff.completed, "I3: the last pass did not go through"
    greatest: dict[str, tuple[int, str]] = {}
    for one in _all(world):
        if one.sent.kind == "level" and (cutoff.cutoff is None or one.at >= cutoff.cutoff):
            best = greatest.get(one.sent.player, (0, ""))
            greatest[one.sent.player] = max(best, (one.at, one.sent.level))
    expected = {player: PlayerRow(level, at) for player, (at, level) in greatest.items()}
    found = dict(world.players.all())
    assert found == expected, f"I3: PlayerState holds {found} instead of {expected}, the cutoff being {cutoff.cutoff}"


def _assert_transitions(world: World) -> None:
    """Rule 7: every change that PlayerState went through was counted, and once; rule 6: the minute of a leave.

    A rebuild leaves out what was not counted before it, and so does a beginning anew: then none more than once.
    """
    expected: Counter[Transition] = Counter()
    for was, now in world.watching.moves:
        source, target = (was.level if was else None), (now.level if now else None)
        if source != target:
            at = now.at if now else (was.at if was else 0) + world.settings.idle_timeout_ms
            expected[Transition(at // MINUTE_MS * 60, source, target)] += 1
    found = Counter(dict(world.counts.transitions())) + world.watching.expired_transitions
    assert not found - expected, f"rule 7: counted too often {found - expected}"
    is_less = world.losses.rebuilds or world.losses.began_anew
    if not is_less:
        _assert_entered_and_left(world, expected)
    assert is_less or found == expected, f"rule 7: not counted {expected - found}"


def _assert_entered_and_left(world: World, moves: Counter[Transition]) -> None:
    """I4, of each level."""
    entered: Counter[str | None] = Counter()
    left: Counter[str | None] = Counter()
    for move, count in moves.items():
        entered[move.target] += count
        left[move.source] += count
    for row in world.client.tables["LevelState"].items.values():
        level, found = row["levelId"]["S"], (int(row["entered"]["N"]), int(row["left"]["N"]))
        expected = entered[level], left[level]
        assert found == expected, f"I4: {level} has {found} entered and left instead of {expected}"


def _assert_tallies(world: World) -> None:
    """I5, per shard and in all."""
    rows = world.progress.read_all(CONSUMER_ROWS)
    total: Counter[str] = Counter()
    for shard, arrivals in world.watching.arrivals.items():
        tallies = rows[shard].tallies
        assert sum(tallies.values()) == len(arrivals), f"I5: {tallies} of {len(arrivals)} records of {shard}"
        assert tallies.keys() <= set(Outcome)
        total.update(tallies)
    kinds = Counter(one.sent.kind for one in _all(world))
    assert total[Outcome.IGNORED] == kinds["other"], f"I5: {total} of {kinds}"
    assert total[Outcome.DEAD_LETTERED] == kinds["poison"], f"I5: {total} of {kinds}"
    # Late at least as it came; at most, when all was read. Between the two it depends on when it was read.
    cutoff = world.progress.cutoff().cutoff
    surely = sum(one.late for one in _all(world))
    maybe = sum(one.sent.kind == "level" and cutoff is not None and one.at < cutoff for one in _all(world))
    assert surely <= total[Outcome.LATE] <= maybe, f"rule 4: {total[Outcome.LATE]} late, not {surely} to {maybe}"


def assert_every_move_was_seen(world: World) -> None:
    """Rules 2 and 6, where nothing fails and all is read at once: each move between levels, each leave and return."""
    idle = world.settings.idle_timeout_ms
    expected: Counter[Transition] = Counter()
    by_player: dict[str, list[tuple[int, str]]] = {}
    for one in _all(world):
        if one.sent.kind == "level":
            by_player.setdefault(one.sent.player, []).append((one.at, one.sent.level))
    for player, events in by_player.items():
        source: str | None = None
        last: int | None = None
        for at, level in sorted(events):
            if last is not None and at - last > idle + world.settings.allowed_lateness_ms:
                expected[Transition((last + idle) // MINUTE_MS * 60, source, None)] += 1
                source = None
            if level != source:
                expected[Transition(at // MINUTE_MS * 60, source, level)] += 1
            source, last = level, at
        if world.players.get(player) is None and last is not None:
            expected[Transition((last + idle) // MINUTE_MS * 60, source, None)] += 1
    found = Counter(dict(world.counts.transitions()))
    assert found == expected, f"rule 2: too many {found - expected}, missing {expected - found}"


def assert_nobody_is_left(world: World) -> None:
    """Rules 5 and 6: whoever fell silent has left, whatever clock their events bore."""
    found = dict(world.players.all())
    assert not found, f"rule 6: {found} never left; the cutoff is {world.progress.cutoff()}"
    counts = {level: count.players for level, count in world.counts.levels().items() if count.players}
    assert not counts, f"I1: {counts}"
