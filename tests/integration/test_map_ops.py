"""What operators see is what the services really used: their own counters beside what the map says."""

import http.client
import time
from typing import Any

import httpx
import pytest

from tests.integration.conftest import MakeSite
from tests.integration.events import level_event
from tests.integration.service import Service, free_port
from tests.integration.sites import Site
from tests.integration.waiting import eventually

SERVICES = ("consumer", "level_aggregator", "pruner")
WAIT_SECONDS = 60.0
SHARDS = 2
PLAYERS, ROUNDS = 30, 12


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """A game with all its services."""
    site = make_site("ops", shards=SHARDS)
    for name in SERVICES:
        site.start(name)
    return site


def used(service: Service) -> float:
    """Write units that it has counted itself, all its processes together."""
    return sum(
        value for (name, _), value in service.metrics().items() if name == "headcount_dynamodb_write_units_total"
    )


def told(site: Site) -> dict[str, int]:
    """Write units as the rows have them."""
    rows = {name: site.progress.read_all(f"{name}/").values() for name in ("consumer", "level_aggregator")}
    sums = {name: sum(row.units for row in its) for name, its in rows.items()}
    return {**sums, "pruner": site.progress.cutoff().units}


def is_whole(found: dict[str, Any]) -> bool:
    """Whether every service has had a part in it: each works on what the one before it did, and says so later."""
    return (
        found["eventsPerSecond"] > 0
        and found["writeUnitsPerEvent"]["tutorial"] is not None
        and all(one["writeUnitsPerSecond"] > 0 for one in found["services"][:3])
        and all(one["lagSeconds"] is not None for one in found["shards"] if one["service"] == "consumer")
    )


def send(site: Site, number: int) -> None:
    """All players have an event, each in a level other than before."""
    now = time.time_ns() // 1_000_000
    for player in range(PLAYERS):
        site.put(player % SHARDS, level_event(f"player-{player}", f"level-{(player + number) % 5}", now))


def test_units_per_event_are_what_the_services_used(site: Site) -> None:
    port = free_port()
    services = {service.name: service for service in site.services}
    eventually(lambda: all(told(site)[name] > 0 for name in SERVICES), WAIT_SECONDS, "each service to tell its units")
    game_map = site.start("game_map", HEADCOUNT_MAP_PORT=str(port), HEADCOUNT_MAP_OPS="true")
    game_map.wait_until_ready()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=WAIT_SECONDS) as api:
        assert api.get("/ops").status_code == http.client.OK

        def ops() -> dict[str, Any] | None:
            answer = api.get("/api/ops")
            return answer.json() if answer.status_code == http.client.OK else None

        for number in range(ROUNDS):
            send(site, number)
            time.sleep(2)
        seen = eventually(lambda: found if (found := ops()) and is_whole(found) else None, WAIT_SECONDS, "all figures")
    ours, theirs = seen["writeUnitsPerEvent"]["headcount"], seen["writeUnitsPerEvent"]["tutorial"]
    assert ours > 0
    assert theirs > 1, "a write per event, and three for each move"
    assert {one["service"] for one in seen["shards"]} == {"consumer", "level_aggregator"}

    def close() -> bool:
        """What was told is what was used, but for the writes since, by which it is told."""
        now = told(site)
        return all(0 <= used(services[name]) - now[name] <= 30 for name in SERVICES)

    eventually(close, WAIT_SECONDS, "the rows to say what the services count")


def test_a_worker_that_takes_over_goes_on_from_the_row(site: Site) -> None:
    before = told(site)["consumer"]
    consumer = next(service for service in site.services if service.name == "consumer")
    for worker in consumer.wait_for_workers(SHARDS):
        worker.kill()
    send(site, ROUNDS)
    eventually(lambda: told(site)["consumer"] > before, WAIT_SECONDS, "the new workers to tell more")
