"""A small game with players and levels of its own, beside whatever else is on the stream, and the truth about it."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.system.tables import STREAM, Aws, Move

_LINES = Path(__file__).parents[1] / "data" / "snowplow_enriched_events.tsv"
_APP_ID, _COLLECTOR_TSTAMP, _EVENT_ID, _DERIVED_CONTEXTS = 0, 3, 6, 122
_ROUND_SECONDS = 1.0
_TURNS_PER_ROUND, _PLAYS_PER_ROUND = 3, 5
_LEAVES_EVERY = 12  # rounds
_MINUTE_MS = 60_000


def enriched(player: str, level: str, at: int) -> bytes:
    """A real enriched event, as its player's in that level; ``at``: ms since the epoch."""
    columns = _LINES.read_bytes().splitlines()[0].split(b"\t")
    moment = f"{datetime.fromtimestamp(at // 1000, tz=UTC):%Y-%m-%d %H:%M:%S}.{at % 1000:03d}"
    data = {"user_id": player, "level_slug": level}
    context = {"schema": "iglu:com.codecombat/level_context/jsonschema/1-0-0", "data": data}
    contexts = {"schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1", "data": [context]}
    columns[_APP_ID] = b"codecombat"
    columns[_COLLECTOR_TSTAMP] = moment.encode()
    columns[_EVENT_ID] = str(uuid.uuid4()).encode()
    columns[_DERIVED_CONTEXTS] = json.dumps(contexts).encode()
    return b"\t".join(columns)


class Game(threading.Thread):
    """Plays until `finish`. Each player's events go to one shard, in order, so that every move can be told.

    Now and then a player falls silent for good, and another one enters.
    """

    def __init__(self, aws: Aws, players: int = 24, levels: int = 8, seed: int = 7) -> None:
        super().__init__(name="game", daemon=True)
        self._aws, self._random = aws, random.Random(seed)
        self._run = uuid.uuid4().hex[:8]
        self._made = 0
        self._finished = threading.Event()
        self._lock = threading.Lock()
        self.level_names = [f"system-{self._run}-{n}" for n in range(levels)]
        self._latest: dict[str, tuple[str, int]] = {}
        self._moves: Counter[Move] = Counter()
        self._playing = [self._newcomer() for _ in range(players)]
        self.gone: list[str] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        """The thread."""
        rounds = 0
        try:
            while not self._finished.wait(_ROUND_SECONDS):
                rounds += 1
                if rounds % _LEAVES_EVERY == 0:
                    self.gone.append(self._playing.pop(0))
                    self._playing.append(self._newcomer())
                self._send([self._play(player) for player in self._chosen()])
        except (BotoCoreError, ClientError) as error:
            self.failure = error

    def finish(self) -> None:
        """Play no more; raises what kept the game from playing on."""
        self._finished.set()
        self.join()
        if self.failure is not None:
            raise self.failure

    def truth(self) -> dict[str, tuple[str, int]]:
        """Level and time of everybody who ever played."""
        with self._lock:
            return dict(self._latest)

    def moves(self) -> Counter[Move]:
        """Every move into a level, by the minute of its event."""
        with self._lock:
            return Counter(self._moves)

    def leave(self, player: str, idle_ms: int) -> Move:
        """How a player who fell silent leaves: at the last event plus the idle timeout."""
        level, at = self.truth()[player]
        return (at + idle_ms) // _MINUTE_MS * 60, level, None

    def _newcomer(self) -> str:
        self._made += 1
        return f"{self._run}-player-{self._made}"

    def _chosen(self) -> list[str]:
        """Who plays now. Some by their turn: on a slow machine chance alone lets somebody be silent for too long."""
        silent = sorted(self._playing, key=lambda player: self._latest.get(player, ("", 0))[1])
        return silent[:_TURNS_PER_ROUND] + self._random.sample(silent[_TURNS_PER_ROUND:], _PLAYS_PER_ROUND)

    def _play(self, player: str) -> tuple[str, str, int]:
        now = time.time_ns() // 1_000_000
        level, at = self._latest.get(player, ("", 0))
        if not level or self._random.random() < 0.3:
            level = self._random.choice(self.level_names)
        return player, level, max(now, at + 1)

    def _send(self, plays: list[tuple[str, str, int]]) -> None:
        records: list[Any] = [{"Data": enriched(*play), "PartitionKey": play[0]} for play in plays]
        while records:
            answers = self._aws.kinesis.put_records(StreamName=STREAM, Records=records)["Records"]
            records = [record for record, answer in zip(records, answers, strict=True) if answer.get("ErrorCode")]
        with self._lock:
            for player, level, at in plays:
                before = self._latest.get(player)
                if before is None or before[0] != level:
                    self._moves[at // _MINUTE_MS * 60, before and before[0], level] += 1
                self._latest[player] = (level, at)
