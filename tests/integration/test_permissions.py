"""Least privilege, proved: real services make every call that `permissions.json` allows them, and no other.

Each service has an access key of its own, and a proxy before the emulator notes what it asks for.
"""

import time
from pathlib import Path

import pytest

from headcount.demo.fleet import MAP, SERVICES
from headcount.demo.ministack import MiniStack
from tests.integration.calls import Names, Permission
from tests.integration.conftest import MakeSite
from tests.integration.events import level_event, other_event
from tests.integration.policies import PATH, PolicyFile
from tests.integration.recording import Recording
from tests.integration.service import Service
from tests.integration.sites import Site
from tests.integration.story import HOUR_MS, SECOND
from tests.integration.waiting import eventually

SHARDS = 2
WAIT_SECONDS = 60.0
IDLE_SECONDS = 300  # the default
MINUTE_SECONDS = 120.0  # until a minute is over of which a map has seen enough
SNAPSHOTS = {
    "HEADCOUNT_MAP_BUCKET": "permissions-snapshots",
    "HEADCOUNT_MAP_PREFIX": "live/",
    "HEADCOUNT_MAP_SNAPSHOT_SECONDS": "1",
}

PUBLISHED = ("headcount_map_snapshots_total", "result=ok")
RECORDED = ("headcount_map_history_periods_total", "result=written")

Made = frozenset[Permission]


@pytest.fixture(scope="module")
def policies() -> PolicyFile:
    """What the services are allowed."""
    return PolicyFile((Path(__file__).parents[2] / PATH).read_text())


@pytest.fixture(scope="module")
def made(ministack: MiniStack, make_site: MakeSite) -> Made:
    """What setup and services did in a day."""
    with Recording(ministack.endpoint_url) as recording:
        key = {"AWS_ENDPOINT_URL": recording.endpoint_url, "AWS_ACCESS_KEY_ID": "setup"}
        site = make_site("permissions", shards=SHARDS, **key, **SNAPSHOTS)
        Day(site).pass_by()
        names = Names(site.environment)
        return frozenset().union(*map(names.permissions, recording.calls))


class Day:
    """A day of a small game, in which everything happens that makes a service call AWS."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._begins = round(time.time() * SECOND) - HOUR_MS
        self._sent = 0

    def pass_by(self) -> None:
        """From an empty account to a clean end."""
        self._set_up_again()
        game_map = self._start(MAP, HEADCOUNT_MAP_PORT="0")  # first, so that its minute goes by beside the rest
        first = self._start("consumer", HEADCOUNT_WORKER_ID="first")
        aggregator = self._start("level_aggregator", HEADCOUNT_WORKER_ID="first")
        pruner = self._start("pruner")
        self._play()
        first.wait_for_workers(SHARDS)
        aggregator.wait_for_workers(1)

        second = self._start("consumer", HEADCOUNT_ENHANCED_FAN_OUT="true")
        eventually(lambda: first.workers() and second.workers(), WAIT_SECONDS, "shards to be shared")
        assert first.drain() == 0
        assert aggregator.drain() == 0
        aggregator = self._start("level_aggregator", HEADCOUNT_AUDIT_INTERVAL_SECONDS="1")
        second.wait_for_workers(SHARDS)
        aggregator.wait_for_workers(1)

        self._fall_silent()
        eventually(lambda: aggregator.log_lines("audit"), WAIT_SECONDS, "an audit")
        eventually(lambda: game_map.metrics().get(PUBLISHED), WAIT_SECONDS, "a snapshot")
        eventually(lambda: game_map.metrics().get(RECORDED), MINUTE_SECONDS, "a minute of the history")
        for service in (second, aggregator, pruner, game_map):
            service.wait_until_ready()
            assert [service.get(path)[0] for path in ("/healthz", "/metrics")] == [200] * 2
            assert service.drain() == 0

    def _start(self, name: str, **settings: str) -> Service:
        return self._site.start(name, AWS_ACCESS_KEY_ID=name, **settings)

    def _set_up_again(self) -> None:
        """All is there, but for the streams of PlayerState and Transitions."""
        for table in ("PLAYER", "TRANSITIONS"):
            name = self._site.tables[table]
            self._site.dynamodb.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
        again = self._site.command("setup")
        assert again.returncode == 0, again.stderr

    def _play(self) -> None:
        """Players enter, move and stay; a record that can't be read; events that come too late to change a row."""
        at = self._begins
        self._send(0, level_event("ana", "forest", at), level_event("ana", "forest", at + 5 * SECOND), b"poison")
        self._send(1, level_event("ben", "forest", at))
        eventually(self._both_entered, WAIT_SECONDS, "both to be counted")  # so that one more comes too late
        self._send(0, level_event("ana", "castle", at + 10 * SECOND))
        self._send(1, level_event("ana", "swamp", at))

    def _both_entered(self) -> bool:
        forest = self._site.counts.levels().get("forest")
        return forest is not None and forest.players == 2

    def _fall_silent(self) -> None:
        """Time goes by in which nobody plays."""
        for shard in range(SHARDS):
            self._send(shard, other_event(self._begins + 2 * IDLE_SECONDS * SECOND))
        eventually(lambda: self._site.tallies().total() >= self._sent, WAIT_SECONDS, "all outcomes")
        eventually(self._empty, WAIT_SECONDS, "everybody to have left, and to be counted so")

    def _empty(self) -> bool:
        levels = self._site.counts.levels().values()
        return not dict(self._site.players.all()) and all(level.players == 0 for level in levels)

    def _send(self, shard: int, *lines: bytes) -> None:
        self._site.put(shard, *lines)
        self._sent += len(lines)


def refuse(complaints: list[str]) -> None:
    """Fail with the lines to change, if there are any; whole, which an assertion's message would not be."""
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def test_every_call_is_allowed(policies: PolicyFile, made: Made) -> None:
    """AWS would refuse nothing."""
    refuse(policies.missing(made))


def test_everything_allowed_is_called(policies: PolicyFile, made: Made) -> None:
    """But for what no run can bring about, which `rare` explains."""
    refuse(policies.unused(made))


def test_the_file_is_in_order(policies: PolicyFile) -> None:
    """It is laid out so that complaints can name lines, and says each thing once, of all who call AWS."""
    refuse(policies.slips())
    assert {one.service for one in policies.allowed} == {*SERVICES, MAP, "setup"}
