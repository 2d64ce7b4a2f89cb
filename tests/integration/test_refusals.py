"""What can't work is said in one clear line on stderr, with the documented exit code, in reasonable time."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from headcount.demo.fleet import environment
from tests.conftest import Measure
from tests.integration.conftest import MakeSite
from tests.integration.refusals import BAD_SETTING, QUICK_SECONDS, UNREACHABLE_SECONDS, Attempt, Case
from tests.integration.service import free_port
from tests.integration.sites import Site
from tests.integration.waiting import eventually

ABSENT = "/dev/null/absent"  # no file can be there
NO_SUCH = "does not exist in this account and region. Check its name and the region, or make it with: .*setup"
NO_STREAM, NO_TABLE = f"Kinesis stream absent {NO_SUCH}", f"DynamoDB table absent {NO_SUCH}"
NO_FILES = {"AWS_CONFIG_FILE": ABSENT, "AWS_SHARED_CREDENTIALS_FILE": ABSENT}
NO_KEYS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
EVENTS, LEVELS, PLAYERS = "refusals-events", "refusals-level", "refusals-player"
TRANSITIONS = "refusals-transitions"

CASES = {
    "consumer, no stream": Case("consumer", {"HEADCOUNT_EVENTS_STREAM": "absent"}, NO_STREAM),
    "consumer, no table": Case("consumer", {"HEADCOUNT_PROGRESS_TABLE": "absent"}, NO_TABLE),
    "consumer, no table for letters": Case("consumer", {"HEADCOUNT_DEAD_LETTER_TABLE": "absent"}, NO_TABLE),
    "consumer, no directory for letters": Case(
        "consumer",
        {"HEADCOUNT_DEAD_LETTER_DIRECTORY": ABSENT},
        f"HEADCOUNT_DEAD_LETTER_DIRECTORY={ABSENT} can't be written to: Not a directory.",
    ),
    "aggregator, no table": Case("level_aggregator", {"HEADCOUNT_PLAYER_TABLE": "absent"}, NO_TABLE),
    "aggregator, table without a stream": Case(
        "level_aggregator",
        {"HEADCOUNT_PLAYER_TABLE": LEVELS, "HEADCOUNT_LEVEL_TABLE": PLAYERS},
        f"DynamoDB table {LEVELS} has no stream with NEW_AND_OLD_IMAGES. .*",
    ),
    "pruner, no stream": Case("pruner", {"HEADCOUNT_EVENTS_STREAM": "absent"}, NO_STREAM),
    "audit, no table": Case("headcount audit", {"HEADCOUNT_LEVEL_TABLE": "absent"}, NO_TABLE),
    "audit, two tables swapped": Case(
        "headcount audit",
        {"HEADCOUNT_LEVEL_TABLE": TRANSITIONS, "HEADCOUNT_TRANSITIONS_TABLE": LEVELS},
        f"DynamoDB table {TRANSITIONS} has the key bucket and transition, not levelId: it is another kind of table. .*",
    ),
    "aggregator, another kind of table": Case(
        "level_aggregator",
        {"HEADCOUNT_LEVEL_TABLE": TRANSITIONS, "HEADCOUNT_TRANSITIONS_TABLE": LEVELS},
        f"DynamoDB table {TRANSITIONS} has the key bucket and transition, not levelId: it is another kind of table. .*",
    ),
    "no credentials": Case(
        "consumer", {**NO_KEYS, **NO_FILES}, "No AWS credentials were found. Set AWS_ACCESS_KEY_ID and .*"
    ),
    "no region": Case("consumer", {"AWS_REGION": None, **NO_FILES}, "No AWS region is set. Set AWS_REGION, .*"),
    "another region": Case("consumer", {"AWS_REGION": "eu-west-1"}, f"Kinesis stream {EVENTS} {NO_SUCH}"),
    "bad setting": Case(
        "consumer",
        {"HEADCOUNT_POLL_MILLISECONDS": "soon"},
        "HEADCOUNT_POLL_MILLISECONDS='soon' is not valid: .*integer.*",
        BAD_SETTING,
    ),
    "unknown setting": Case(
        "pruner",
        {"HEADCOUNT_EVENT_STREAM": "x"},
        r"HEADCOUNT_EVENT_STREAM is no setting of Headcount. Did you mean HEADCOUNT_EVENTS_STREAM\?",
        BAD_SETTING,
    ),
    "one name for two tables": Case(
        "level_aggregator",
        {"HEADCOUNT_PLAYER_TABLE": LEVELS},
        f"HEADCOUNT_PLAYER_TABLE and HEADCOUNT_LEVEL_TABLE are the same name, '{LEVELS}': each table needs its own.",
        BAD_SETTING,
    ),
    "map without its history": Case("game_map", {"HEADCOUNT_HISTORY_TABLE": "absent"}, NO_TABLE),
    "map without its bucket": Case(
        "game_map",
        {"HEADCOUNT_MAP_BUCKET": "nobody-made-this"},
        "S3 bucket nobody-made-this does not exist. Check HEADCOUNT_MAP_BUCKET, or make it with: .* setup",
    ),
    "a name that no bucket has": Case(
        "game_map",
        {"HEADCOUNT_MAP_BUCKET": "My_Bucket"},
        "HEADCOUNT_MAP_BUCKET='My_Bucket' is not valid: .*",
        BAD_SETTING,
    ),
    "command with a bad setting": Case(
        "headcount setup",
        {"HEADCOUNT_REFRESH_SECONDS": "-1"},
        "HEADCOUNT_REFRESH_SECONDS='-1' is not valid: .*greater than or equal to 0.001.*",
        BAD_SETTING,
    ),
}


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """All that the cases leave in place."""
    return make_site("refusals", shards=1)


@pytest.fixture(scope="module")
def attempts(site: Site) -> Iterator[dict[str, Attempt]]:
    """All cases, started at once."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Attempt.start(case, site.environment)) for name, case in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_one_line_and_an_exit_code(name: str, attempts: dict[str, Attempt]) -> None:
    """The line names what is wrong and says what to do."""
    attempts[name].check()


def test_a_taken_port_is_refused(site: Site) -> None:
    """Metrics that nobody can scrape are no metrics."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = f"Can't serve metrics on 127.0.0.1:{port}: Address already in use. Set HEADCOUNT_METRICS_HOST .*"
        for service in ("consumer", "pruner"):
            case = Case(service, {"HEADCOUNT_METRICS_PORT": str(port)}, line)
            with Attempt.start(case, site.environment) as attempt:
                attempt.check()


def test_a_second_holder_of_a_worker_id_is_refused(site: Site, measure: Measure) -> None:
    """Two daemons with one id would read the same shards without either losing its lease."""
    worker_id = {"HEADCOUNT_WORKER_ID": "one"}
    first = site.start("consumer", **worker_id)
    eventually(lambda: site.progress.read("claim/refusals-consumer/one"), QUICK_SECONDS, "the first one's claim")
    holder = re.escape(f"process {first.supervisor.pid} on ")
    line = f"Worker id one is held by {holder}.*, which is alive. Give each process its own HEADCOUNT_WORKER_ID, .*"
    with Attempt.start(Case("consumer", worker_id, line), site.environment) as second:
        measure("second holder of a worker id: refused after", second.check())
    assert first.drain() == 0


def test_an_endpoint_out_of_reach_is_refused(measure: Measure) -> None:
    """After botocore's tries, which are meant for a blip."""
    line = "Kinesis stream enriched-good can't be reached: Could not connect to the endpoint URL.*"
    nobody = environment(f"http://127.0.0.1:{free_port()}", {"HEADCOUNT_LOG_FORMAT": "json"})
    with Attempt.start(Case("consumer", {}, line, seconds=UNREACHABLE_SECONDS), nobody) as attempt:
        measure("endpoint out of reach: refused after", attempt.check())
