"""Snapshots in S3: two replicas, of which the one that publishes is killed or stands still again and again."""

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from game_map.snapshots import LEVELS, TRANSITIONS
from tests.integration.conftest import MakeSite
from tests.integration.recorded_game import Moment, Move, RecordedGame
from tests.integration.service import Service
from tests.integration.sites import Site
from tests.integration.waiting import eventually

UPDATES = 100
TROUBLE_EVERY = 9  # updates
INTERVAL, LEASE_SECONDS = 1, 2
STILL_SECONDS = 2 * LEASE_SECONDS
REST_EVERY = 25
WAIT_SECONDS = 60.0
BUCKET = "snapshots"


@dataclass
class Reader:
    """Reads all that was ever put into the two files, each once and in order: the bucket keeps every version."""

    client: S3Client
    levels: dict[str, dict[str, Any]] = field(default_factory=dict)
    transitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _read: set[str] = field(default_factory=set)

    def read(self) -> None:
        """Whatever was put since the last time; the levels, which are put first, of all transitions that were read."""
        for name, seen in ((TRANSITIONS, self.transitions), (LEVELS, self.levels)):
            for version in reversed(self._versions(name)):
                self._take(name, version, seen)

    def _versions(self, name: str) -> list[str]:
        with suppress(ClientError):  # it isn't there yet
            if self.client.head_object(Bucket=BUCKET, Key=name)["VersionId"] in self._read:
                return []  # as nearly always; to list them all costs more
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=name)
        found = [version["VersionId"] for page in pages for version in page.get("Versions", [])]
        return [version for version in found if version not in self._read]

    def _take(self, name: str, version: str, seen: dict[str, dict[str, Any]]) -> None:
        self._read.add(version)
        told = json.loads(self.client.get_object(Bucket=BUCKET, Key=name, VersionId=version)["Body"].read())
        update_id = told["update_id"]
        if seen.setdefault(update_id, told) != told:
            self.wrong.append(f"{update_id} was published with two contents")
        if update_id != list(seen)[-1]:
            self.wrong.append(f"{update_id} came back")

    def saw(self, updates: int) -> None:
        """Wait until it has seen so many."""

        def check() -> bool:
            self.read()
            return len(self.transitions) >= updates

        eventually(check, WAIT_SECONDS, f"update {updates}")

    def moves(self) -> dict[str, Counter[Move]]:
        """By update: all moves up to it."""
        total: Counter[Move] = Counter()
        found = {}
        for update_id, told in self.transitions.items():
            total.update({(move.get("from"), move.get("to")): move["count"] for move in told["transitions"]})
            found[update_id] = Counter(total)
        return found


@dataclass
class Replicas:
    """Two of the map; one of them publishes."""

    site: Site
    running: list[Service]
    ended: list[Service] = field(default_factory=list)

    def publisher(self) -> Service | None:
        """The one that says so."""
        found = [one for one in self.running if publishes(one)]
        if len(found) > 1:  # the first one may have lost the lease before the second one was asked
            found = [one for one in found if publishes(one)]
        assert len(found) <= 1
        return found[0] if found else None

    def kill(self) -> None:
        """Kill the publisher, and start another in its place."""
        one = eventually(self.publisher, WAIT_SECONDS, "a publisher")
        one.supervisor.kill()
        self.running.remove(one)
        self.ended.append(one)
        self.running.append(start(self.site))

    def hold_up(self) -> None:
        """The publisher stands still until another has taken over, and then goes on as if nothing had been."""
        one = eventually(self.publisher, WAIT_SECONDS, "a publisher")
        one.supervisor.send_signal(signal.SIGSTOP)
        time.sleep(STILL_SECONDS)
        one.supervisor.send_signal(signal.SIGCONT)

    def published(self) -> list[str]:
        """The ids of the updates that any of them says it has published."""
        return [line["update_id"] for one in [*self.running, *self.ended] for line in one.log_lines("published")]


def publishes(one: Service) -> bool:
    return one.metrics().get(("headcount_map_publishes", "what=snapshots")) == 1


def start(site: Site) -> Service:
    return site.start("game_map", HEADCOUNT_MAP_PORT="0")


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """Without a consumer or a level aggregator: the game counts itself."""
    return make_site(
        "snapshots",
        shards=1,
        HEADCOUNT_MAP_BUCKET=BUCKET,
        HEADCOUNT_MAP_SNAPSHOT_SECONDS=str(INTERVAL),
        HEADCOUNT_FAILOVER_SECONDS=str(LEASE_SECONDS),
    )


@pytest.fixture
def reader(site: Site) -> Iterator[Reader]:
    """Of its bucket."""
    client = boto3.client(
        "s3",
        endpoint_url=site.environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (any emulator takes it)
        config=Config(proxies={}, s3={"addressing_style": "path"}),
    )
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield Reader(client)
    client.close()


def test_each_update_is_published_once_and_is_what_the_tables_were(site: Site, reader: Reader) -> None:
    dice = random.Random(7)
    replicas = Replicas(site, [start(site), start(site)])
    reader.saw(1)  # from here on every move is in some update
    with RecordedGame(site.counts, site.progress, levels=6, seed=7) as game:

        def comes_to_rest() -> None:
            moment = game.history[-1]
            eventually(lambda: newest(reader) == moment, WAIT_SECONDS, "an update of the tables at rest")
            assert moment.levels == {name: row.players for name, row in site.counts.levels().items() if row.players}

        for updates in range(2, UPDATES + 1):
            reader.saw(updates)
            if updates % TROUBLE_EVERY == 0:
                time.sleep(INTERVAL * dice.random())
                dice.choice([replicas.kill, replicas.hold_up])()
            if updates % REST_EVERY == 0:
                game.rest(comes_to_rest)

    published = replicas.published()
    assert len(published) == len(set(published))
    reader.read()
    assert reader.wrong == []
    hold_against(game.history, reader)
    assert set(published) <= set(reader.levels)
    total: Counter[Move] = Counter()
    for move, count in site.counts.transitions():
        total[move.source, move.target] += count
    assert total == game.history[-1].moves


def newest(reader: Reader) -> Moment:
    """By what was put: the levels of the newest update, and all moves up to it."""
    reader.read()
    levels, moves = list(reader.levels.values())[-1], reader.moves()
    return Moment(levels["level_player_counts"], list(moves.values())[-1])


def hold_against(history: list[Moment], reader: Reader) -> None:
    """Each update's moves are those up to a moment; its levels are of that moment, or of one before the next update."""
    moments = {frozenset(moment.moves.items()): at for at, moment in enumerate(history)}
    ats = {update_id: moments[frozenset(moves.items())] for update_id, moves in reader.moves().items()}
    assert list(ats.values()) == sorted(ats.values())
    following = [*list(ats.values())[1:], len(history) - 1]
    for (update_id, at), then in zip(ats.items(), following, strict=True):
        levels = reader.levels[update_id]["level_player_counts"]
        assert levels in [moment.levels for moment in history[at : then + 1]], update_id
