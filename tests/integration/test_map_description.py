"""The game map's answers are as its own description says, whatever is asked: schemathesis makes up the questions."""

import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import jsonschema_rs
import pytest

from headcount.model import Position, Progress, Transition
from headcount.tables.counts import Net
from tests.integration.conftest import MakeSite
from tests.integration.service import Service, free_port
from tests.integration.sites import Site
from tests.integration.waiting import eventually, patience

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = "25"  # of each operation, in each phase
RUN_SECONDS = 240.0
OPS_SECONDS, ANSWER_SECONDS = 60.0, 60.0
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
# What is streamed has no end, so nobody can wait for the answer to be whole. It is held to its description below.
ENDLESS = "/api/stream"
# OpenAPI can't say that without a level an hour is the most that may be asked for.
CONFIG = """
[warnings]
fail-on = true

[[operations]]
include-path = "/api/history"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", "400", "404", "429", "5xx"]
"""


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """Tables with some levels and moves; nobody writes them."""
    site = make_site("described")
    minute, net = int(time.time()) // 60 * 60, Net()
    for source, target in ((None, "forest"), (None, "a/b c?"), ("forest", "höhle"), ("höhle", None)):
        net.add(Transition(minute, source, target))
    site.counts.apply(net, site.progress, "here", Progress(), Progress(Position(1)))
    return site


@pytest.fixture(scope="module")
def port() -> int:
    """Where the map is."""
    return free_port()


@pytest.fixture(scope="module")
def game_map(site: Site, port: int) -> Service:
    """The map, which refuses nobody for asking often: else that is all that would be seen."""
    many = {"HEADCOUNT_MAP_BURST": "1000000", "HEADCOUNT_MAP_RATE": "100000", "HEADCOUNT_MAP_OPS": "true"}
    started = site.start("game_map", HEADCOUNT_MAP_PORT=str(port), **many)
    started.wait_until_ready()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=ANSWER_SECONDS) as asks:
        eventually(lambda: asks.get("/api/ops").is_success, OPS_SECONDS, "two looks at the rows")
        eventually(lambda: asks.get("/api/history").is_success, OPS_SECONDS, "a look at the history")
    return started


@pytest.fixture
def api(game_map: Service, port: int) -> Iterator[httpx.Client]:
    """Asks it."""
    assert game_map.exit_code() is None
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=ANSWER_SECONDS) as client:
        yield client


def test_schemathesis_finds_nothing(api: httpx.Client, port: int, tmp_path: Path) -> None:
    described = api.get("/api/openapi.json").json()["paths"]
    config = tmp_path / "schemathesis.toml"
    report = tmp_path / "asked.har"
    config.write_text(CONFIG)
    done = subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", config, "run", f"http://127.0.0.1:{port}/api/openapi.json"),
            *("--checks", "all", "--continue-on-failure", "--exclude-path", ENDLESS),
            *("--generation-deterministic", "--no-shrink", "--max-examples", EXAMPLES, "--no-color"),
            *("--request-timeout", str(ANSWER_SECONDS)),
            *("--report", "har", "--report-har-path", report),
            # Nearly every text is a level's id, so it looks for those that are none in vain, and says so.
            *("--suppress-health-check", "filter_too_much"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=patience(RUN_SECONDS),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Selected: {len(described) - 1}/{len(described)}" in done.stdout, done.stdout
    answers = Counter(one["response"]["status"] for one in json.loads(report.read_bytes())["log"]["entries"])
    assert answers[http.client.TOO_MANY_REQUESTS] == 0, answers
    assert answers[http.client.OK] > answers.total() / 3, answers


def test_the_stream_is_as_described(api: httpx.Client) -> None:
    description = api.get("/api/openapi.json").json()
    answers = description["paths"][ENDLESS]["get"]["responses"]
    for last in ({}, {"Last-Event-ID": "1"}, {"Last-Event-ID": "9" * 5000}, {"Last-Event-ID": "\x7f,;x"}):
        with api.stream("GET", ENDLESS, headers=last) as answer:
            assert answer.status_code == http.client.OK
            assert answer.headers["content-type"].split(";")[0] in answers["200"]["content"]
            lines = answer.iter_lines()
            data = next(line for line in lines if line.startswith("data: ")).removeprefix("data: ")
        levels = {**description, "$ref": "#/components/schemas/Levels"}
        jsonschema_rs.validator_for(levels).validate(json.loads(data))
    for method in METHODS - {"GET", "HEAD"}:
        refused = api.request(method, ENDLESS)
        assert refused.status_code == http.client.METHOD_NOT_ALLOWED
        assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
        assert refused.json().keys() == {"error"}
