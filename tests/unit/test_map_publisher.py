"""The publisher of snapshots: every move in one snapshot, whatever comes between two of them."""

from collections import Counter

import orjson
import pytest
from botocore.exceptions import ClientError

from game_map import publisher as module
from game_map.publication import DECISION
from game_map.publisher import PAUSE_SECONDS
from tests.fakes.publishing import BUCKET, INTERVAL, LONG, Replica, World

DAY = 86_400.0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """In which a stream is quiet as soon as nothing comes."""
    monkeypatch.setattr(module, "QUIET_SECONDS", 0)
    return World()


def test_each_holds_what_came_since_the_one_before(world: World) -> None:
    world.move(None, "forest", 5)  # before the first one: in none
    replica = Replica(world)
    lines = replica.run()
    world.move("forest", "cave", 2)
    lines += replica.run(INTERVAL)
    world.move("forest", "cave")
    world.move("cave", None)
    lines += replica.run(INTERVAL)

    assert world.moves() == [{}, {("forest", "cave"): 2}, {("forest", "cave"): 1, ("cave", None): 1}]
    assert world.levels() == {"forest": 2, "cave": 2}
    assert replica.results() == (3, 0)
    logged = [(line["event"], line["number"], line["update_id"]) for line in lines]
    assert logged == [("published", number, update) for number, update in enumerate(world.updates(), 1)]


def test_each_stays_for_as_long_as_its_readers_expect(world: World) -> None:
    Replica(world).run()
    Replica(world).run(INTERVAL - 2 * LONG)
    assert len(world.updates()) == 1, "whoever takes over waits, too"
    Replica(world).run(2 * LONG)
    assert len(world.updates()) == 2


def test_a_clock_that_was_set_back_stops_nothing(world: World) -> None:
    replica = Replica(world)
    replica.run()
    world.clock.now -= DAY
    replica.run()
    assert len(world.updates()) == 2


def test_only_the_holder_of_the_lease_publishes(world: World) -> None:
    replica = Replica(world)
    replica.lease.is_held = False
    assert replica.run(3 * INTERVAL) == []
    assert world.bucket.puts == []


def test_who_lost_the_lease_goes_on_from_what_others_published(world: World) -> None:
    one, other = Replica(world), Replica(world)
    one.run()
    world.move(None, "forest")
    one.lease.is_held = False
    one.run(INTERVAL)
    other.run()
    world.move("forest", "cave")
    one.lease.is_held = True
    assert [line["event"] for line in one.run(INTERVAL)] == ["published"]

    assert world.moves() == [{}, {(None, "forest"): 1}, {("forest", "cave"): 1}]
    assert len(set(world.updates())) == 3


def test_who_is_overtaken_tells_nothing_twice(world: World) -> None:
    """It had the lease all along by its own clock, but stood still for a while."""
    one, other = Replica(world), Replica(world)
    one.run()
    world.move(None, "forest")
    world.clock.sleep(INTERVAL)
    other.run()
    world.move("forest", "cave")
    world.clock.sleep(INTERVAL)
    lines = one.run()

    assert [line["event"] for line in lines] == ["another replica has published", "published"]
    assert world.moves() == [{}, {(None, "forest"): 1}, {("forest", "cave"): 1}]
    assert one.results() == (2, 0), "that is no failure"


@pytest.mark.parametrize("fails_at", range(3))
def test_what_could_not_be_published_is_in_the_next_one(world: World, fails_at: int) -> None:
    replica = Replica(world)
    replica.run()
    world.move(None, "forest")
    world.clock.sleep(INTERVAL)
    world.bucket.refused_puts = {len(world.bucket.puts) + fails_at}
    lines = replica.run()
    world.move("forest", "cave")
    assert [(line["event"], line["kind"]) for line in lines] == [("snapshot failed", ClientError.__name__)]
    assert replica.results() == (1, 1)

    replica.run(PAUSE_SECONDS + INTERVAL)

    assert sum((Counter(moves) for moves in world.moves()), Counter()) == world.made
    assert len(world.updates()) == 3
    assert world.levels() == {"cave": 1}


def test_who_finishes_anothers_update_lets_it_stay(world: World) -> None:
    Replica(world).run()
    world.clock.sleep(INTERVAL)
    world.bucket.refused_puts = {len(world.bucket.puts) + 1}
    Replica(world).run()  # decided, and then no more
    world.clock.sleep(INTERVAL)

    replica = Replica(world)
    replica.run(INTERVAL - 2 * LONG)
    assert len(world.moves()) == len(world.updates()) == 2
    replica.run(3 * LONG)
    assert len(world.moves()) == len(world.updates()) == 3


def test_a_stream_that_was_made_anew_is_read_from_its_beginning(world: World) -> None:
    world.move(None, "forest", 5)
    Replica(world).run()
    world.stream.shards.clear()
    world.shard = world.stream.begin("shard-of-the-new-one")
    world.move("forest", "cave")
    lines = Replica(world, identity="Transitions@2").run(INTERVAL + LONG)

    assert [line["event"] for line in lines] == ["published"]
    assert world.moves() == [{}, {("forest", "cave"): 1}]


def test_moves_go_on_where_a_shard_ends(world: World) -> None:
    Replica(world).run()
    world.move(None, "forest")
    world.shard = world.stream.roll("shard-1", "shard-2")
    world.move("forest", "cave")
    Replica(world).run(INTERVAL + LONG)
    world.stream.drop("shard-1")
    world.move("cave", None)
    lines = Replica(world).run(INTERVAL + LONG)

    assert [line["event"] for line in lines] == ["published"], "what is gone had been read"
    assert world.moves() == [{}, {(None, "forest"): 1, ("forest", "cave"): 1}, {("cave", None): 1}]
    decision = orjson.loads(world.bucket.kept[BUCKET, DECISION]["Body"])
    assert (list(decision["read"]), decision["finished"]) == (["shard-2"], []), "what is gone is remembered no longer"


def test_moves_that_aws_forgot_are_missed_loudly(world: World) -> None:
    replica = Replica(world)
    replica.run()
    world.move(None, "forest")
    world.move("forest", "cave")
    world.stream.trim("shard-1", 1)
    world.clock.sleep(2 * DAY)
    lines = Replica(world).run()

    assert (lines[0]["log_level"], lines[0]["shards"]) == ("warning", ["shard-1"])
    assert world.moves()[1:] == [{("forest", "cave"): 1}]
