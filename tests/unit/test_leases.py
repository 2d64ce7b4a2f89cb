"""Whose the leases are, and which of them nobody moves."""

from headcount.kcl.leases import Lease, LeaseBook, Leases

FAILOVER = 2.0
LONG = 3 * FAILOVER


def book() -> LeaseBook:
    return LeaseBook("me", FAILOVER)


def lease(key: str, owner: str | None, counter: int = 0) -> Lease:
    return Lease(key, owner, counter)


def test_no_lease_is_no_move() -> None:
    assert book().observe([], 0) == Leases(all_moved=True)


def test_leases_are_counted_by_owner() -> None:
    found = book().observe([lease("a", "me"), lease("b", "you"), lease("c", "they")], 0)

    assert (found.mine, found.others, found.stalled) == (1, 2, ())


def test_a_lease_without_an_owner_is_stalled_at_once_and_stands_still_only_after_a_while() -> None:
    """New leases have no owner for a moment, at each shard's end."""
    watched = book()

    first = watched.observe([lease("a", None)], 0)
    assert (first.stalled, first.still) == (("a",), ())
    assert watched.observe([lease("a", None)], LONG).still == ()
    assert watched.observe([lease("a", None)], LONG + 0.1).still == ("a",)
    assert watched.observe([lease("a", "me", 1)], LONG + 0.2) == Leases(mine=1, all_moved=True)


def test_a_lease_whose_counter_stands_is_stalled_whoever_owns_it() -> None:
    watched = book()
    watched.observe([lease("a", "me"), lease("b", "you")], 0)
    watched.observe([lease("a", "me"), lease("b", "you", 1)], 4)

    assert watched.observe([lease("a", "me"), lease("b", "you", 1)], LONG).stalled == ()
    found = watched.observe([lease("a", "me"), lease("b", "you", 1)], LONG + 0.1)
    assert (found.mine, found.others, found.stalled, found.still) == (0, 1, ("a",), ("a",))


def test_a_lease_that_is_taken_over_moves() -> None:
    watched = book()
    watched.observe([lease("a", "you")], 0)

    found = watched.observe([lease("a", "me")], LONG + 1)

    assert (found.mine, found.stalled) == (1, ())


def test_only_what_was_seen_to_move_is_known_to_be_renewed() -> None:
    """The first look of a process that just started can't tell a live owner from a dead one."""
    watched = book()

    assert not watched.observe([lease("a", "you")], 0).all_moved
    assert watched.observe([lease("a", "you", 1)], 1).all_moved
    assert not watched.observe([lease("a", "you", 1), lease("b", "you")], 2).all_moved


def test_a_lease_that_is_gone_is_forgotten() -> None:
    watched = book()
    watched.observe([lease("a", "me")], 0)
    watched.observe([], 1)

    assert watched.observe([lease("a", "me")], LONG + 1).stalled == ()
