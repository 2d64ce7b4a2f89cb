"""The whole stream is read again from TRIM_HORIZON over finished tables, and nothing changes: issue 5, done when 4."""

import time
from dataclasses import replace

import pytest

from headcount.tables import scan
from tests.fault.conftest import MakeGame
from tests.fault.findings import Findings
from tests.fault.game import LOOK_SECONDS, Game
from tests.integration.sites import Site
from tests.integration.waiting import eventually

PLAYED_SECONDS = 35.0  # beyond idle timeout and lateness: some have left, and must not come back
REPLAY_SECONDS = 90.0


def forget_leases(site: Site) -> None:
    """Delete all tables that the KCL keeps."""
    names = [name for page in site.dynamodb.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    for application in ("consumer", "level-aggregator"):
        for name in names:
            if name.startswith(f"{site.application}-{application}"):
                site.dynamodb.delete_table(TableName=name)


def forget_progress(site: Site) -> None:
    """Delete the consumers' rows; the pruner's cutoff and the aggregator's progress stay."""
    name = site.tables["PROGRESS"]
    for row in scan(site.dynamodb, TableName=name):
        if row["worker"]["S"].startswith("consumer/"):
            site.dynamodb.delete_item(TableName=name, Key={"worker": row["worker"]})


def read_again(game: Game) -> tuple[int, ...]:
    """Start consumer and aggregator, and wait until each was handed all again; how many records that were."""
    readers = ("consumer", "level_aggregator")
    before = [game.log_sum(name, "batch", "records") for name in readers]
    for name in readers:
        game.start(name)

    def all_of_it() -> list[int]:
        time.sleep(LOOK_SECONDS)
        read = [game.log_sum(name, "batch", "records") - had for name, had in zip(readers, before, strict=True)]
        return read if all(now >= had for now, had in zip(read, before, strict=True)) else []

    return tuple(eventually(all_of_it, REPLAY_SECONDS, "both streams to be read again"))


@pytest.mark.parametrize("progress", ["kept", "deleted"])
def test_a_replay_changes_nothing(progress: str, make_game: MakeGame, findings: Findings) -> None:
    """What was written of the players is at least as great, and who has left is late by the cutoff, which stays."""
    game = make_game(f"replay-{progress}", seed=61)
    game.begin()
    game.play(PLAYED_SECONDS)
    game.drain()
    game.check()
    then = game.site.state()
    assert any(move.target is None for move in then.transitions), "nobody has left"

    forget_leases(game.site)
    if progress == "deleted":
        forget_progress(game.site)
    records, changes = read_again(game)
    game.end_all()
    now = game.site.state()
    assert replace(now, tallies=then.tallies) == then
    assert now.tallies.total() == then.tallies.total()
    if progress == "kept":
        assert now.tallies == then.tallies
    else:
        assert now.tallies["applied"] == 0
        assert now.tallies["late"] > 0
    findings.note(
        f"the whole stream again from TRIM_HORIZON, the consumer's progress {progress}",
        f"{records} records and {changes} changes read again; no row, count or transition changed",
    )
