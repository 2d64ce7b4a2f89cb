"""An aggregator that can't know what it has counted must not count on: rule 7."""

from typing import Any

from headcount.model import LevelCount
from headcount.tables import scan
from headcount.tables.progress import ProgressTable
from tests.integration.conftest import MakeSite
from tests.integration.service import START_SECONDS
from tests.integration.sites import Site
from tests.integration.waiting import eventually

FAILED = "record processor failed: ends without a checkpoint"
BEGINNING = "TRIM_HORIZON"

EMULATORS = ("ministack", "localstack")


def enter(site: Site, player: str, level: str) -> None:
    """Write a row of PlayerState, as a consumer would."""
    row: dict[str, Any] = {"playerId": {"S": player}, "levelId": {"S": level}, "lastUpdated": {"N": "1800000000000"}}
    site.dynamodb.put_item(TableName=site.tables["PLAYER"], Item=row)


def checkpointed(site: Site) -> bool:
    """Whether the KCL's lease table names a checkpoint."""
    rows = scan(site.dynamodb, TableName=f"{site.application}-level-aggregator")
    return any(row.get("checkpoint", {}).get("S", BEGINNING) != BEGINNING for row in rows)


def test_without_progress_the_aggregator_asks_for_a_rebuild(make_site: MakeSite) -> None:
    """Its rows are gone, the KCL's checkpoint is not: changes in between would be lost without a word."""
    site = make_site("gap", shards=1, HEADCOUNT_WORKER_ID="only")
    aggregator = site.start("level_aggregator")
    enter(site, "ana", "forest")
    counted = {"forest": LevelCount(1, 1, 0)}
    eventually(lambda: site.counts.levels() == counted, START_SECONDS, "the first count")
    eventually(lambda: checkpointed(site), START_SECONDS, "a checkpoint")
    assert aggregator.drain() == 0

    progress: ProgressTable = site.progress
    workers = list(progress.read_all("level_aggregator/"))
    assert workers
    for worker in workers:
        key = {"worker": {"S": f"level_aggregator/{worker}"}}
        site.dynamodb.delete_item(TableName=site.tables["PROGRESS"], Key=key)
    enter(site, "ben", "forest")

    again = site.start("level_aggregator")
    refusals = eventually(
        lambda: lines if len(lines := again.log_lines(FAILED)) > 1 else [], START_SECONDS, "it to refuse, twice"
    )
    for line in refusals:
        assert "GapError" in line["exception"]
        assert "LevelState must be rebuilt from PlayerState; see docs/operations.md" in line["exception"]
    assert again.get("/readyz")[0] == 503
    assert site.counts.levels() == counted
    assert progress.read_all("level_aggregator/") == {}
    assert again.exit_code() is None or again.exit_code() != 0
