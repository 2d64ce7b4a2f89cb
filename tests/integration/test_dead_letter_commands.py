"""A person with dead letters and a real stream; and a consumer that stops before it buries too much. Rule 4."""

import json
import subprocess
import time
from collections import Counter

import pytest

from headcount.model import PlayerRow
from tests.integration.conftest import MakeSite
from tests.integration.events import level_event, poisons
from tests.integration.service import Service
from tests.integration.sites import Site, shard_id
from tests.integration.story import HOUR_MS, SECOND
from tests.integration.waiting import eventually

WAIT_SECONDS = 60.0
RUN_LIMIT, BURIED = 5, 3
FIXED = {"HEADCOUNT_PLAYER_FIELD": "account"}


def only_with_account(player: str, level: str, at: int) -> bytes:
    """An event whose ``user_id`` is a number, as a tracker may send it; another field has the player's id."""
    found = b'"user_id":"' + player.encode() + b'"'
    line = level_event(player, level, at)
    assert line.count(found) == 1
    return line.replace(found, b'"user_id":7,"account":"' + player.encode() + b'"')


def wait_for_tallies(site: Site, expected: dict[str, int]) -> None:
    def there() -> bool:
        return site.tallies() == Counter(expected)

    try:
        eventually(there, WAIT_SECONDS, "the tallies")
    except AssertionError:
        assert site.tallies() == Counter(expected)
        raise


def command(site: Site, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """``python -m headcount dead-letters …`` with these settings on top of the site's."""
    return site.command("dead-letters", *arguments, **settings)


def listed(site: Site, *arguments: str) -> list[dict[str, object]]:
    done = command(site, "list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_letters_are_shown_sent_again_with_the_right_setting_and_applied(make_site: MakeSite) -> None:
    """One of them is late by now, one is poison for ever."""
    site = make_site("redrive", shards=2)
    begins = round(time.time() * SECOND) - HOUR_MS
    consumer = site.start("consumer")
    lines = [only_with_account("ana", "forest", begins), only_with_account("ben", "swamp", begins - HOUR_MS)]
    site.put(0, *lines)
    site.put(1, b"\x00\xff\x1b[2J")
    wait_for_tallies(site, {"dead_lettered": 3})

    *letters, sums = listed(site)
    assert sums == {"total": 3, "reasons": {"bad_id": 2, "bad_utf8": 1}}
    assert sorted(str(letter["reason"]) for letter in letters) == ["bad_id", "bad_id", "bad_utf8"]
    [ever] = listed(site, "--reason", "bad_utf8")[:-1]
    assert (ever["shard"], ever["size"]) == (shard_id(1), 6)
    shown = command(site, "show", str(ever["key"]))
    assert shown.stdout.endswith("raw              \\x00\\xff\\x1b[2J\n")
    assert command(site, "list", "--since", "1s", "--limit", "1").returncode == 0

    site.progress.publish(stream_time=begins, cutoff=begins - 1, held_back="", updated_at=0)
    assert consumer.drain() == 0
    tried = command(site, "redrive", "--all", "--dry-run", **FIXED)
    assert tried.returncode == 0, tried.stderr
    assert "1  can be read and are level events\n" in tried.stdout
    assert "1  can be read and will end as late" in tried.stdout
    assert "1  still can't be read (bad_utf8 1): not sent\n" in tried.stdout
    assert tried.stdout.endswith("2 records would be sent.\n")
    unfixed = command(site, "redrive", "--all", "--yes")
    assert unfixed.stdout.endswith("There is nothing to send.\n")
    assert len(site.dead_letters()) == 3

    sent = command(site, "redrive", "--all", "--yes", **FIXED)
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.endswith("Sent 2 records, and deleted their letters.\n")
    assert "At least once: where this command is cut short" in sent.stdout
    site.start("consumer", **FIXED)
    wait_for_tallies(site, {"dead_lettered": 3, "applied": 1, "late": 1})
    assert dict(site.players.all()) == {"ana": PlayerRow("forest", begins)}
    assert [raw for *_, raw in site.dead_letters()] == [b"\x00\xff\x1b[2J"]


def test_poison_that_is_sent_all_the_same_comes_back_as_it_was(make_site: MakeSite) -> None:
    """A record of every kind that can't be read: the bytes go round unchanged, and all letters can be deleted."""
    site = make_site("round", shards=1)
    broken = [line for _, line in poisons(round(time.time() * SECOND))]
    site.start("consumer")
    site.put(0, *broken)
    wait_for_tallies(site, {"dead_lettered": len(broken)})
    first = {(shard, number) for shard, number, *_ in site.dead_letters()}

    sent = command(site, "redrive", "--all", "--even-poison", "--yes")
    assert sent.returncode == 0, sent.stderr
    wait_for_tallies(site, {"dead_lettered": 2 * len(broken)})
    letters = site.dead_letters()
    assert sorted(raw for *_, raw in letters) == sorted(broken)
    assert first.isdisjoint((shard, number) for shard, number, *_ in letters)

    deleted = command(site, "delete", "--all", "--yes")
    assert deleted.stdout.endswith(f"Deleted {len(broken)} letters.\n")
    assert site.dead_letters() == []


@pytest.mark.parametrize("action", ["list", "redrive"])
def test_a_missing_table_is_one_line(make_site: MakeSite, action: str) -> None:
    site = make_site(f"no-letters-{action}", shards=1)
    site.dynamodb.delete_table(TableName=site.tables["DEAD_LETTER"])
    done = command(site, action, *(["--all"] if action == "redrive" else []))

    assert done.returncode == 69
    assert done.stderr.startswith(f"headcount: DynamoDB table {site.tables['DEAD_LETTER']} does not exist")
    assert done.stderr.count("\n") == 1


def test_too_much_poison_stops_the_consumer_which_says_so_and_goes_on_with_a_higher_limit(make_site: MakeSite) -> None:
    site = make_site("too-much", shards=1, HEADCOUNT_POISON_RUN_LIMIT=str(RUN_LIMIT))
    at = round(time.time() * SECOND) - HOUR_MS
    consumer = site.start("consumer")
    site.put(0, level_event("ana", "forest", at), *[b"poison %d" % number for number in range(BURIED)])
    wait_for_tallies(site, {"applied": 1, "dead_lettered": BURIED})
    more = [b"more poison %d" % number for number in range(2 * RUN_LIMIT)]
    site.put(0, *more, level_event("ana", "castle", at + SECOND))

    problem = (
        f"{shard_id(0)} is stopped: more than {RUN_LIMIT} records in a row can't be read. Run code and settings that "
        "can read them, or raise HEADCOUNT_POISON_RUN_LIMIT; nothing is lost meanwhile, as long as the stream keeps it"
    )
    eventually(lambda: problem in problems(consumer), WAIT_SECONDS, "/readyz to say why")
    assert consumer.get("/readyz")[0] == 503
    stops = ("headcount_consumer_poison_stops_total", f"limit=run,shard={shard_id(0)}")
    eventually(lambda: consumer.metrics().get(stops, 0) >= 2, WAIT_SECONDS, "a second stop")
    assert problem in problems(consumer)
    assert len(site.dead_letters()) <= RUN_LIMIT
    assert site.tallies()["dead_lettered"] <= RUN_LIMIT
    failed = "record processor failed: ends without a checkpoint"
    [told, *_] = eventually(lambda: consumer.log_lines(failed), WAIT_SECONDS, "a worker's log to say so")
    assert "PoisonLimitError: At record " in told["exception"]
    assert "more poison" not in told["exception"]
    consumer.drain()

    raised = site.start("consumer", HEADCOUNT_POISON_RUN_LIMIT="0")
    wait_for_tallies(site, {"applied": 2, "dead_lettered": BURIED + len(more)})
    raised.wait_for_workers(1)
    assert problems(raised) == []
    assert len(site.dead_letters()) == BURIED + len(more)
    assert dict(site.players.all()) == {"ana": PlayerRow("castle", at + SECOND)}


def problems(service: Service) -> list[str]:
    """What `/readyz` complains of."""
    body = service.get("/readyz")[1]
    found: list[str] = json.loads(body)["problems"] if body else []
    return found
