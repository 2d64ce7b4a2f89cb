"""The simulator's first thousand seeds, and how it works. More: `make simulate`."""

import pytest

from headcount.model import LevelEvent
from tests.simulation.broken import BrokenError
from tests.simulation.run import Ran, run_chunks, silently
from tests.simulation.schedule import Action, Config, Schedule, Sent
from tests.simulation.seeds import schedule
from tests.simulation.shrink import shortest
from tests.simulation.world import World

SEEDS = 1000


@pytest.fixture(scope="module")
def ran() -> Ran:
    """What became of them."""
    whole = Ran()
    for some in run_chunks(range(SEEDS)):
        whole.add(some)
    return whole


def test_no_seed_breaks_an_invariant(ran: Ran) -> None:
    assert ran.seeds == SEEDS
    assert ran.failed == []


def test_a_seed_is_one_schedule() -> None:
    assert schedule(7) == schedule(7)
    assert schedule(7) != schedule(8)


def test_every_kind_of_action_happens() -> None:
    actions = [action for seed in range(300) for action in schedule(seed).actions]
    rare = {"steal", "split", "merge", "roll", "expire", "kill all", "tell", "cut short", "ttl", "meet the cutoff"}
    assert {action.what for action in actions} >= rare | {"lose progress", "day off", "rebuild"}
    assert any(action.what == "prune" and action.inner is not None for action in actions)


def test_every_kind_of_fault_breaks_in_where_it_matters(ran: Ran) -> None:
    """Counted as it does, not as it is planned."""
    fired = ran.fired
    for fault in ("crash", "meanwhile", "throttle", "conflict", "lost", "again"):
        assert fired[fault, "transact_write_items"] >= 3, fault
        assert fired[fault, "update_item"] >= 3, fault
        assert fired[fault, "delete_item"] >= 3, fault
        assert fired[fault, "batch_execute_statement"] >= 3, fault
    for fault in ("crash", "meanwhile", "throttle", "conflict", "lost"):
        assert fired[fault, "checkpoint"] >= 3, fault
        assert fired[fault, "statement"] >= 3, fault
    assert {"get_item", "scan", "put_item", "checkpoint"} <= {operation for kind, operation in fired if kind == "crash"}


def test_changes_are_lost_to_the_counts_and_rebuilds_mend_them(ran: Ran) -> None:
    """Some while the schedule runs, and counting goes on after them; see `tests.simulation.losses`."""
    assert ran.losses >= 30
    assert ran.rebuilds >= 30


def test_a_failing_schedule_is_made_short() -> None:
    """One of many records and actions of which only two matter."""
    whole = schedule(11)
    assert len(whole.actions) > 10
    needed = {whole.actions[3], whole.actions[-1]}

    least = shortest(whole, lambda candidate: needed <= set(candidate.actions))

    assert set(least.actions) == needed
    assert least.sent == ()


def test_what_breaks_an_invariant_is_told_at_once() -> None:
    """Somebody writes a lesser row into PlayerState."""
    config = Config(60, 2, 120, 0.5, 1, 1, 0, 100, 100, calm=True, skews=(0.0,))
    sent = (Sent(1, 1, 0, "level", "a", "K"),)
    world = World(Schedule(0, config, sent, (Action("wait", seconds=2), Action("round", amount=9))))
    with silently():
        world.run()
    row = world.players.get("a")
    assert row is not None

    with pytest.raises(BrokenError, match="rule 1"):
        world.client.put_item(
            "PlayerState",
            {"playerId": {"S": "a"}, "levelId": {"S": "K"}, "lastUpdated": {"N": str(row.at - 1)}},
        )
    assert world.players.apply(LevelEvent("a", "K", row.at - 1)) is not None
