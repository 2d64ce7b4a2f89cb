"""Events in, exact tables out: all services, kills in between, players who leave, and a person's commands."""

import base64
from collections import Counter
from contextlib import suppress
from pathlib import Path

import orjson
import psutil
import pytest

from headcount.demo.fleet import SERVICES
from headcount.model import LevelCount
from tests.integration.conftest import MakeSite
from tests.integration.service import Service
from tests.integration.sites import Letter, Site
from tests.integration.story import EVENING, EVERYBODY, MORNING, NIGHT, NOON, SETTLE_SECONDS, Story, Told
from tests.integration.waiting import eventually

EMULATORS = ("ministack", "localstack")


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """A worker id of its own for each service: a restart is quick.

    However long the tests take, nobody leaves by it. No slow answer costs a lease: what is read again may be stale.
    """
    slow = {"HEADCOUNT_MAX_SILENCE_SECONDS": "3600", "HEADCOUNT_FAILOVER_SECONDS": "5"}
    return make_site("end-to-end", HEADCOUNT_WORKER_ID="only", **slow)


@pytest.fixture(scope="module")
def told(site: Site) -> Told:
    """The whole story, told once."""
    story = Story(site, {name: site.start(name) for name in SERVICES})
    told = Told(story)
    story.morning()
    eventually(lambda: site.tallies().total() == story.outcomes.total(), SETTLE_SECONDS, "the morning's outcomes")
    story.echoes()
    told.note("morning", MORNING)

    story.crowd("lobby", 70)
    eventually(lambda: site.counts.levels().get("lobby"), SETTLE_SECONDS, "the crowd to be counted")
    daemon = eventually(story.services["consumer"].daemon, SETTLE_SECONDS, "a daemon to kill")
    story.crowd("hall", 72)
    daemon.kill()
    eventually(lambda: killed_worker(story.services["level_aggregator"]), SETTLE_SECONDS, "a worker to kill")
    story.crowd("arena", 75)
    told.note("noon", NOON)

    story.silence()
    told.note("evening", EVENING)
    story.latecomers()
    told.note("night", NIGHT)
    return told


def killed_worker(service: Service) -> bool:
    """Whether there was one; a lease that comes and goes takes its worker with it."""
    for worker in service.workers():
        with suppress(psutil.NoSuchProcess):
            worker.kill()
            return True
    return False


def test_known_events_give_exact_tables(told: Told) -> None:
    """Order, ties, duplicates, all reasons to ignore: rules 1, 2, 4, 8 and I5."""
    story, state = told.story, told.states["morning"]
    assert state.players == {
        "ana": story.row("castle", 61),
        "ben": story.row("forest", 10),
        "cid": story.row("castle", 65),
        "dee": story.row("forest", 30),
        "eve": story.row("beta", 40),
        "max": story.row("forest", 31),
    }
    assert state.levels == MORNING
    assert state.transitions == {
        story.move(0, None, "forest"): 4,
        story.move(0, None, "castle"): 1,
        story.move(0, None, "alpha"): 1,
        story.move(0, "alpha", "beta"): 1,
        story.move(0, "castle", "swamp"): 1,
        story.move(1, "swamp", "castle"): 1,
        story.move(1, "forest", "castle"): 1,
    }
    assert state.tallies == told.outcomes["morning"]


def test_killed_services_lose_nothing_and_count_nothing_twice(told: Told) -> None:
    """Rules 3 and 7 under kill -9 of the consumer's daemon and of the aggregator's worker."""
    story, before, state, sent = told.story, told.states["morning"], told.states["noon"], told.outcomes["noon"]
    crowd = {name: row for name, row in state.players.items() if name.startswith("crowd")}
    assert state.players == before.players | crowd
    assert Counter(crowd.values()) == {story.row("arena", 75): EVERYBODY}
    assert state.levels == NOON
    moves = [(None, "lobby"), ("lobby", "hall"), ("hall", "arena")]
    assert state.transitions == before.transitions | {story.move(1, *move): EVERYBODY for move in moves}
    for outcome in ("ignored", "late", "dead_lettered"):
        assert state.tallies[outcome] == sent[outcome]
    # What was written before the kill, its progress not yet, is stale when it is read again.
    assert state.tallies["applied"] + state.tallies["stale"] == sent["applied"] + sent["stale"]


def test_silent_players_leave_in_the_minute_their_time_was_up(told: Told) -> None:
    """Rule 6: the last event's time plus the idle timeout, whenever the pruner came by."""
    story, before, state = told.story, told.states["noon"], told.states["evening"]
    assert state.players == {"ana": story.row("castle", 200), "cid": story.row("swamp", 150)}
    assert state.levels == EVENING
    assert state.transitions == before.transitions | {
        story.move(2, "castle", "swamp"): 1,
        story.move(5, "forest", None): 3,
        story.move(5, "beta", None): 1,
        story.move(6, "arena", None): EVERYBODY,
    }


def test_who_has_left_is_not_brought_back_by_late_events(told: Told) -> None:
    """Rule 6: before the cutoff is late, at the cutoff is not."""
    story, before, state = told.story, told.states["evening"], told.states["night"]
    assert state.players == before.players | {"fay": story.row("forest", 90), "dee": story.row("forest", 120)}
    assert state.levels == NIGHT
    assert state.transitions == before.transitions | {
        story.move(1, None, "forest"): 1,
        story.move(2, None, "forest"): 1,
    }
    assert state.tallies["late"] == told.outcomes["night"]["late"] == 2
    assert state.tallies.total() == told.outcomes["night"].total()


def test_every_poison_is_kept_to_the_byte(told: Told, site: Site) -> None:
    """Rule 4: shard, sequence number, reason, raw bytes; once, kills included."""
    assert sorted(site.dead_letters()) == sorted(told.story.letters)


def test_audit_finds_nothing_and_then_what_was_tampered_with(told: Told, site: Site) -> None:
    """I1, I2, I4, strict; in words and as JSON."""
    assert told.states["night"].levels == NIGHT
    clean = site.command("audit", "--drained")
    assert (clean.returncode, clean.stderr) == (0, "")

    _tamper(site, "castle", -3)
    tampered, machine = site.command("audit", "--drained"), site.command("audit", "--drained", "--json")
    _tamper(site, "castle", 3)
    assert tampered.returncode == machine.returncode == 1
    assert tampered.stdout.splitlines() == [
        "I1 castle: playerCount is -2, should be 1 (off by -3)",
        "I2 castle: playerCount is -2, should be 0 (off by -2)",
        "I4 castle: entered - left is 1, should be -2 (off by +3)",
    ]
    found = orjson.loads(machine.stdout)
    assert (found["exact"], len(found["differences"])) == (False, 3)


def test_explain_tells_why(told: Told, site: Site) -> None:
    """A level and a player as they stand."""
    assert told.states["night"].levels == NIGHT
    level, player = site.command("explain", "--level", "castle"), site.command("explain", "--player", "ana")
    assert (level.returncode, player.returncode) == (0, 0)
    assert "LevelState counts 1: of all time 3 entered, 2 left." in level.stdout
    assert "PlayerState has 1 players in it now." in level.stdout
    assert "castle -> swamp: 1" in level.stdout
    assert "In level castle since the last event that was written" in player.stdout
    assert "no row of this player" in site.command("explain", "--player", "ben").stdout


def test_setup_again_changes_nothing(told: Told, site: Site) -> None:
    """Idempotent, with rows in the tables and services at work."""
    again = site.command("setup", "--shards", "5")
    assert (again.returncode, again.stderr) == (0, "")
    assert len(again.stdout.splitlines()) == 7  # the stream and its tables
    assert all(line.endswith(": was there") for line in again.stdout.splitlines())
    assert site.state() == told.states["night"]


def test_forget_lets_the_count_follow(told: Told, site: Site) -> None:
    """The delete enters at the stream; the player leaves like any other."""
    assert told.states["night"].levels == NIGHT
    done = site.command("forget", "--player", "cid")
    assert (done.returncode, done.stdout.split(".")[0]) == (0, "Erased: the row in level swamp")
    left = LevelCount(0, 2, 2)
    eventually(lambda: site.counts.levels()["swamp"] == left, SETTLE_SECONDS, "the count to follow")
    assert dict(site.counts.transitions())[told.story.move(7, "swamp", None)] == 1
    assert "nothing to erase" in site.command("forget", "--player", "cid").stdout


def test_dead_letters_go_to_a_directory_where_one_is_set(told: Told, site: Site, tmp_path: Path) -> None:
    """The other store; the consumer drained and started anew with it. Then all services drain."""
    story = told.story
    assert story.services["consumer"].drain() == 0
    before = len(story.letters)
    directory = tmp_path / "letters"
    story.services["consumer"] = site.start("consumer", HEADCOUNT_DEAD_LETTER_DIRECTORY=str(directory))
    story.send_poison(1)
    eventually(lambda: site.tallies().total() == story.outcomes.total(), SETTLE_SECONDS, "the letters' outcomes")
    found: list[Letter] = []
    for file in directory.iterdir():
        letter = orjson.loads(file.read_bytes())
        raw = base64.b64decode(letter["raw"])
        found.append((letter["shard"], letter["sequenceNumber"], letter["reason"], raw))
    assert sorted(found) == sorted(story.letters[before:])
    for service in story.services.values():
        service.supervisor.terminate()
    assert {name: service.wait() for name, service in story.services.items()} == dict.fromkeys(SERVICES, 0)


def _tamper(site: Site, level: str, by: int) -> None:
    site.dynamodb.update_item(
        TableName=site.tables["LEVEL"],
        Key={"levelId": {"S": level}},
        UpdateExpression="ADD playerCount :by",
        ExpressionAttributeValues={":by": {"N": str(by)}},
    )
