"""The consumer's worker as the daemon starts it: a process of its own, the protocol over pipes, real tables."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from headcount.demo.ministack import MiniStack
from headcount.kcl.worker import LOG_PIPE
from headcount.model import PlayerRow, Position
from headcount.settings import Settings
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from tests.fakes.emulated import REGION, dynamodb, fresh_settings, make_tables, session
from tests.fakes.lines import NOON, event_line, record
from tests.fakes.protocol import LEASE_LOST, SHUTDOWN, Line, checkpoint, checkpointed, done, initialize, process
from tests.integration.waiting import patience

MODULE = ("-m", "consumer.worker")
# The same, but that whatever it calls prints.
LOUD = (
    "-c",
    """
from headcount.snowplow import EventReader
quiet = EventReader.read
def loud(self, data):
    print("a stray print", flush=True)
    return quiet(self, data)
EventReader.read = loud
from consumer.worker import main
main()
""",
)


@dataclass
class Aws:
    """Tables and a stream of one's own in MiniStack, and the environment that names them."""

    settings: Settings
    client: DynamoDBClient
    environment: dict[str, str]


@pytest.fixture
def aws(ministack: MiniStack, tmp_path: Path) -> Iterator[Aws]:
    """All that a worker needs."""
    settings, client = fresh_settings(), dynamodb(ministack)
    kinesis = session().client("kinesis", endpoint_url=ministack.endpoint_url)
    kinesis.create_stream(StreamName=settings.events_stream, ShardCount=1)
    make_tables(client, settings, settings.player_table, settings.progress_table, settings.dead_letter_table)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEADCOUNT_"))}
    environment = kept | {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": ministack.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "HEADCOUNT_EVENTS_STREAM": settings.events_stream,
        "HEADCOUNT_PLAYER_TABLE": settings.player_table,
        "HEADCOUNT_PROGRESS_TABLE": settings.progress_table,
        "HEADCOUNT_DEAD_LETTER_TABLE": settings.dead_letter_table,
        LOG_PIPE: str(tmp_path / "log"),
    }
    yield Aws(settings, client, environment)
    kinesis.close()
    client.close()


class Worker:
    """The process, and its protocol."""

    def __init__(self, aws: Aws, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments, f"{aws.settings.events_stream}@1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=aws.environment,
        )

    def tell(self, line: Line) -> Line:
        """Say something and hear the answer; whatever stands on stdout must be one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        answer = ""
        while not answer.strip():
            answer = self.process.stdout.readline()
            assert answer, "the worker has ended"
        heard: Line = json.loads(answer)
        return heard

    def end(self, last: str = "") -> tuple[int, str, str]:
        """Say a last thing and close its stdin; its exit code, and what it said beyond."""
        out, err = self.process.communicate(last, timeout=patience(60))
        return self.process.returncode, out.strip(), err


BATCH = process(
    record(5, event_line("ann", "A", NOON)), record(6, b"poison"), record(7, event_line("ann", "A", NOON + 9))
)


@pytest.mark.parametrize("arguments", [MODULE, LOUD], ids=["as it is", "with stray prints"])
def test_a_worker_speaks_the_protocol_and_nothing_else_on_stdout(aws: Aws, arguments: tuple[str, ...]) -> None:
    worker = Worker(aws, *arguments)

    assert worker.tell(initialize(shard="shardId-000000000000")) == done("initialize")
    assert worker.tell(process()) == done("processRecords")
    answer = worker.tell(BATCH)
    if answer == checkpoint(6):  # it took long since it began
        answer = worker.tell(checkpointed())
    assert answer == done("processRecords")
    assert PlayerTable(aws.client, aws.settings.player_table).get("ann") == PlayerRow("A", NOON)
    assert worker.tell(SHUTDOWN) == checkpoint(7)
    assert worker.tell(checkpointed()) == done("shutdownRequested")
    assert worker.tell(LEASE_LOST) == done("leaseLost")
    code, out, err = worker.end()

    assert (code, out) == (0, "")
    assert err.split("\n") == (["a stray print"] * 3 if arguments == LOUD else []) + [""]
    assert PlayerTable(aws.client, aws.settings.player_table).get("ann") == PlayerRow("A", NOON + 9)
    rows = ProgressTable(aws.client, aws.settings.progress_table)
    row = rows.read(f"consumer/{aws.settings.events_stream}@1/shardId-000000000000")
    assert row is not None
    assert row.position == Position(7)
    assert row.tallies == {"applied": 2, "dead_lettered": 1}


def test_its_log_lines_go_their_own_way_and_name_the_shard(aws: Aws) -> None:
    worker = Worker(aws, *MODULE)
    worker.tell(initialize(shard="shardId-000000000000"))
    _, _, err = worker.end()

    lines = [orjson.loads(line) for line in Path(aws.environment[LOG_PIPE]).read_bytes().splitlines()]
    assert err == ""
    assert {line["service"] for line in lines} == {"consumer"}
    assert {line.get("shard") for line in lines} == {"shardId-000000000000"}


def test_a_table_that_vanished_ends_the_worker_without_an_answer(aws: Aws) -> None:
    worker = Worker(aws, *MODULE)
    worker.tell(initialize(shard="shardId-000000000000"))
    aws.client.delete_table(TableName=aws.settings.player_table)

    code, out, _ = worker.end(json.dumps(BATCH) + "\n")

    assert (code, out) == (1, "")
    assert "ResourceNotFoundException" in Path(aws.environment[LOG_PIPE]).read_text()


def test_a_line_that_is_no_json_ends_the_worker(aws: Aws) -> None:
    worker = Worker(aws, *MODULE)
    worker.tell(initialize(shard="shardId-000000000000"))

    assert worker.end("no json\n")[:2] == (1, "")


def test_a_bad_setting_ends_the_worker_with_its_line(aws: Aws) -> None:
    aws.environment["HEADCOUNT_REFRESH_SECONDS"] = "soon"
    code, out, err = Worker(aws, *MODULE).end()

    assert (code, out) == (2, "")
    assert err.startswith("headcount: HEADCOUNT_REFRESH_SECONDS='soon' is not valid")
