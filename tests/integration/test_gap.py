"""An aggregator that can't know what it has counted must not count on, until LevelState is rebuilt: rules 7 and 9."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from headcount.model import LevelCount
from headcount.tables import scan
from tests.integration.conftest import MakeSite
from tests.integration.service import START_SECONDS, Service
from tests.integration.sites import Site
from tests.integration.waiting import eventually

EMULATORS = ("ministack", "localstack")

BEGINNING = "TRIM_HORIZON"
RUNNING, NOT_STILL = 4, 5
GAP = "headcount_aggregator_gap"
REBUILD = ("rebuild", "--quiet-seconds", "1")
LOOKS_LONG = "10"  # for a lease that moves: on a busy machine its owner may be held up for some seconds


def enter(site: Site, player: str, level: str, at: int = 1_800_000_000_000) -> None:
    """Write a row of PlayerState, as a consumer would."""
    row: dict[str, Any] = {"playerId": {"S": player}, "levelId": {"S": level}, "lastUpdated": {"N": str(at)}}
    site.dynamodb.put_item(TableName=site.tables["PLAYER"], Item=row)


def checkpointed(site: Site) -> bool:
    """Whether the KCL's lease table names a checkpoint."""
    rows = scan(site.dynamodb, TableName=f"{site.application}-level-aggregator")
    return any(row.get("checkpoint", {}).get("S", BEGINNING) != BEGINNING for row in rows)


def lose_progress(site: Site) -> None:
    """Delete the aggregator's rows."""
    workers = list(site.progress.read_all("level_aggregator/"))
    assert workers
    for worker in workers:
        key = {"worker": {"S": f"level_aggregator/{worker}"}}
        site.dynamodb.delete_item(TableName=site.tables["PROGRESS"], Key=key)


def lose_levels(site: Site) -> None:
    """All but PlayerState is empty, and its stream knows nothing of its rows: a table older than its Headcount."""
    table = f"{site.application}-level-aggregator"
    for row in list(scan(site.dynamodb, TableName=table)):
        site.dynamodb.delete_item(TableName=table, Key={"leaseKey": row["leaseKey"]})
    lose_progress(site)
    for level in site.counts.levels():
        site.dynamodb.delete_item(TableName=site.tables["LEVEL"], Key={"levelId": {"S": level}})
    player = site.tables["PLAYER"]
    site.dynamodb.update_table(TableName=player, StreamSpecification={"StreamEnabled": False})
    again = site.command("setup")
    assert again.returncode == 0, again.stderr


def count_first(site: Site) -> None:
    """A whole life of an aggregator: ana is counted, and the aggregator drained."""
    aggregator = site.start("level_aggregator")
    enter(site, "ana", "forest")
    counted = {"forest": LevelCount(1, 1, 0)}
    eventually(lambda: site.counts.levels() == counted, START_SECONDS, "the first count")
    eventually(lambda: checkpointed(site), START_SECONDS, "a checkpoint")
    assert aggregator.drain() == 0


def refuses(service: Service) -> str:
    """What `/readyz` says of the gap, once it does."""

    def said() -> str:
        status, body = service.get("/readyz")
        problems = json.loads(body)["problems"] if status == 503 else []
        return next((problem for problem in problems if "lost to the counts: " in problem), "")

    return eventually(said, START_SECONDS, "it to say what is lost")


@pytest.mark.parametrize(
    ("lose", "suspicion"),
    [(lose_progress, "has no progress of the aggregator"), (lose_levels, "says that much was counted")],
)
def test_what_was_lost_is_rebuilt_and_counting_goes_on_exactly(
    make_site: MakeSite, lose: Callable[[Site], None], suspicion: str
) -> None:
    """No daemon is started while the gap stands; after the rebuild the waiting service goes on by itself."""
    site = make_site(f"gap-{lose.__name__.replace('_', '-')}", shards=1, HEADCOUNT_WORKER_ID="only")
    count_first(site)
    lose(site)
    enter(site, "ben", "forest")
    levels = site.counts.levels()

    again = site.start("level_aggregator")
    assert refuses(again).endswith("Run: python -m headcount rebuild")
    assert again.get("/healthz")[0] == 200
    assert again.metrics()[GAP, ""] == 1
    assert again.daemon() is None
    assert any("GapError" in line["event"] for line in again.log_lines("GapError: nothing is counted"))
    assert site.counts.levels() == levels

    would = site.command(*REBUILD, "--dry-run", "--json")
    assert json.loads(would.stdout)["changed"], would.stderr
    assert site.counts.levels() == levels
    done = site.command(*REBUILD)
    assert done.returncode == RUNNING  # so it looks where a table's name is wrong, too
    assert suspicion in done.stdout
    assert site.counts.levels() == levels
    done = site.command(*REBUILD, "--although-empty")
    assert done.returncode == 0, done.stderr
    assert "PlayerState has 2 players" in done.stdout
    assert "ana" not in done.stdout + done.stderr

    again.wait_for_workers(1)
    assert again.metrics()[GAP, ""] == 0
    before = site.counts.levels()
    enter(site, "ben", "castle", 1_800_000_000_001)
    enter(site, "cem", "castle", 1_800_000_000_001)
    after = {
        "forest": LevelCount(1, before["forest"].entered, before["forest"].left + 1),
        "castle": LevelCount(2, 2, 0),
    }
    eventually(lambda: site.counts.levels() == after, START_SECONDS, "the new changes, once")
    refused = site.command(*REBUILD, HEADCOUNT_FAILOVER_SECONDS=LOOKS_LONG)
    assert refused.returncode == RUNNING
    assert "level_aggregator runs: worker id only holds 1 of the leases" in refused.stdout
    assert again.drain() == 0
    exact = site.command("audit", "--drained")
    assert exact.returncode == 0, exact.stdout
    assert "Nothing was changed" in site.command(*REBUILD).stdout


def test_a_consumer_that_writes_on_is_noticed(make_site: MakeSite) -> None:
    """Nothing says that it runs but its writes."""
    site = make_site("gap-written", shards=1)
    stop = threading.Event()

    def write() -> None:
        for number in range(10_000):
            if stop.wait(0.2):
                return
            enter(site, f"p{number % 7}", f"level-{number % 5}", number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        done = site.command("rebuild", "--quiet-seconds", "1", "--although-running")
    finally:
        stop.set()
        writer.join()
    assert done.returncode == NOT_STILL, done.stderr
    assert "Stop consumer and pruner" in done.stdout
    assert site.counts.levels() == {}
