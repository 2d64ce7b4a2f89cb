"""One Headcount of its own inside the shared emulator: names, settings, clients, tables, services."""

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from headcount.demo.fleet import environment
from headcount.model import LevelCount, PlayerRow, Transition
from headcount.tables import scan
from headcount.tables.counts import CountTables
from headcount.tables.players import PlayerTable
from headcount.tables.progress import ProgressTable
from tests.integration.service import Service
from tests.integration.waiting import patience

HASH_KEYS = 2**128
COMMAND_SECONDS = 60
_RETENTION_SECONDS = 604_800

Letter = tuple[str, str, str, bytes]  # shard, sequence number, reason, raw bytes


@dataclass(frozen=True)
class State:
    """What the tables hold: PlayerState, LevelState, Transitions, the consumers' tallies."""

    players: dict[str, PlayerRow]
    levels: dict[str, LevelCount]
    transitions: dict[Transition, int]
    tallies: Counter[str]


class Site:
    """Everything named after ``name``; ``settings`` come on top of what makes tests quick."""

    def __init__(self, endpoint: str, name: str, directory: Path, *, shards: int = 2, **settings: str) -> None:
        self.name, self.directory, self.shards = name, directory, shards
        self._stack = ExitStack()
        self.services: list[Service] = []
        self.stream, self.application = f"{name}-events", name
        tables = ("PLAYER", "LEVEL", "TRANSITIONS", "PROGRESS", "HISTORY", "DEAD_LETTER")
        self.tables = {table: f"{name}-{table.lower()}" for table in tables}
        self.environment = environment(
            endpoint,
            {
                **{f"HEADCOUNT_{table}_TABLE": its_name for table, its_name in self.tables.items()},
                "HEADCOUNT_EVENTS_STREAM": self.stream,
                "HEADCOUNT_APPLICATION": self.application,
                "HEADCOUNT_APP_IDS": "codecombat",
                "HEADCOUNT_FAILOVER_SECONDS": "2",
                "HEADCOUNT_POLL_MILLISECONDS": "200",
                "HEADCOUNT_REFRESH_SECONDS": "1",
                "HEADCOUNT_PRUNE_INTERVAL_SECONDS": "1",
                "HEADCOUNT_START_TIMEOUT_SECONDS": f"{patience(60):.0f}",
                "HEADCOUNT_LOG_FORMAT": "json",
                **settings,
            },
        )
        self.dynamodb = self._client("dynamodb", self.environment.get("AWS_ENDPOINT_URL_DYNAMODB", endpoint))
        self.kinesis = self._client("kinesis", endpoint)
        self.players = PlayerTable(self.dynamodb, self.tables["PLAYER"])
        self.counts = CountTables(self.dynamodb, self.tables["LEVEL"], self.tables["TRANSITIONS"], _RETENTION_SECONDS)
        self.progress = ProgressTable(self.dynamodb, self.tables["PROGRESS"])

    def __enter__(self) -> Self:
        """Make stream and tables."""
        done = self.command("setup", "--shards", str(self.shards))
        assert done.returncode == 0, done.stderr
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def start(self, name: str, **settings: str) -> Service:
        """Start a service; it ends with the site. Its log is ``<name>-<n>.log``."""
        log = self.directory / f"{name}-{len(self.services)}.log"
        service = Service(name, {**self.environment, **settings}, log)
        self.services.append(service)
        self._stack.callback(service.end)
        return service

    def command(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m headcount …`` to its end; ``settings`` come on top of the site's."""
        return subprocess.run(
            [sys.executable, "-m", "headcount", *arguments],
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=patience(COMMAND_SECONDS),
            check=False,
        )

    def put(self, shard: int, *lines: bytes) -> list[str]:
        """Put records on a shard, in order; returns their sequence numbers."""
        hash_key = str(shard * HASH_KEYS // self.shards)
        entries: list[Any] = [{"Data": line, "PartitionKey": "p", "ExplicitHashKey": hash_key} for line in lines]
        answers = self.kinesis.put_records(StreamName=self.stream, Records=entries)["Records"]
        assert {answer.get("ShardId") for answer in answers} == {shard_id(shard)}, answers
        return [answer["SequenceNumber"] for answer in answers]

    def tallies(self) -> Counter[str]:
        """Records by outcome, over all shards (invariant I5)."""
        total: Counter[str] = Counter()
        for row in self.progress.read_all("consumer/").values():
            total.update(row.tallies)
        return total

    def state(self) -> State:
        """A look at all tables."""
        tallies, transitions = self.tallies(), dict(self.counts.transitions())
        return State(dict(self.players.all()), self.counts.levels(), transitions, tallies)

    def dead_letters(self) -> list[Letter]:
        """Every dead letter of the table, its parts joined."""
        letters: dict[str, Letter] = {}
        rows = scan(self.dynamodb, TableName=self.tables["DEAD_LETTER"])
        for row in sorted(rows, key=lambda row: str(row["part"]["S"])):
            _, _, _, raw = letters.get(row["record"]["S"], ("", "", "", b""))
            shard, number, reason = (row[name]["S"] for name in ("shard", "sequenceNumber", "reason"))
            letters[row["record"]["S"]] = (shard, number, reason, raw + row["raw"]["B"])
        return list(letters.values())

    def _client(self, service: Any, endpoint: str) -> Any:
        client = boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}),
        )
        self._stack.callback(client.close)
        return client


def shard_id(shard: int) -> str:
    """Kinesis' name for it."""
    return f"shardId-{shard:012}"
