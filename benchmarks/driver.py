"""The daemon's place in the MultiLang protocol: feeds a worker process over pipes, as the KCL does, and measures it."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson
import psutil

from headcount.kcl.worker import LOG_PIPE
from headcount.multiprocess import MULTIPROCESS_DIRECTORY, MetricFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from headcount.model import Record

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1_000_000
FIRST_SHARD = "shardId-000000000000"
_LAST_WORDS = 2_000
_KILLED_SECONDS = 10.0


class WorkerError(RuntimeError):
    """The worker process ended, or said what it must not; the message shows its last words."""


@dataclass(frozen=True)
class Took:
    """What some batches took. ``cpu``: seconds of the worker's processor time; ``memory``: its peak so far, in MB."""

    records: int
    wall: float
    cpu: float
    memory: float

    @property
    def per_second(self) -> float:
        """Records a second."""
        return self.records / self.wall


def batches(records: Sequence[Record], size: int) -> list[bytes]:
    """Records as the lines that the daemon writes, made beforehand: what they cost is not the worker's."""
    return [_batch(records[at : at + size]) for at in range(0, len(records), size)]


def _batch(records: Sequence[Record]) -> bytes:
    told = [
        {
            "action": "record",
            "data": base64.b64encode(record.data).decode(),
            "partitionKey": "key",
            "sequenceNumber": record.sequence_number,
            "subSequenceNumber": 0,
            "approximateArrivalTimestamp": record.arrived_at,
        }
        for record in records
    ]
    return orjson.dumps({"action": "processRecords", "records": told, "millisBehindLatest": 1})


class Worker:
    """A worker process that has a shard, while the context lasts. ``command``: what Python is to run."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str], directory: Path, shard: str = FIRST_SHARD
    ) -> None:
        self._log, self._metrics = directory / "log", directory / "metrics"
        self._metrics.mkdir(parents=True)
        self._errors = (directory / "stderr").open("w+b")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env={**environment, MULTIPROCESS_DIRECTORY: str(self._metrics), LOG_PIPE: str(self._log)},
        )
        self._sight = psutil.Process(self._process.pid)
        self._shard = shard

    def __enter__(self) -> Self:
        """Begin at the shard's beginning."""
        told = {"shardId": self._shard, "sequenceNumber": "TRIM_HORIZON", "subSequenceNumber": 0}
        self._tell(orjson.dumps({"action": "initialize", **told}), "initialize")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait(_KILLED_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._errors.close()

    def feed(self, lines: Sequence[bytes], records: int, *, drain: bool = False) -> Took:
        """One batch after the other, ``records`` in all; ``drain``: with what is held back, written and settled."""
        cpu, begun = self._cpu(), time.perf_counter()
        for line in lines:
            self._tell(line, "processRecords")
        if drain:
            self._tell(orjson.dumps({"action": "shutdownRequested"}), "shutdownRequested")
        wall = time.perf_counter() - begun
        return Took(records, wall, self._cpu() - cpu, peak_bytes(self._process.pid) / MEGABYTE)

    def totals(self) -> dict[str, float]:
        """The worker's counters, each summed up over its labels and, as ``name{label,…}``, by them."""
        found: dict[str, float] = {}
        for metric in MetricFiles(self._metrics).registry.collect():
            for sample in metric.samples:
                labels = ",".join(value for name, value in sorted(sample.labels.items()) if name != "shard")
                for key in (sample.name, f"{sample.name}{{{labels}}}"):
                    found[key] = found.get(key, 0.0) + sample.value
        return found

    def _tell(self, line: bytes, action: str) -> None:
        """Tell it something, and answer its checkpoints until it says that it is done."""
        assert self._process.stdin is not None  # noqa: S101 (for the type checker)
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("ended") from None
        while (said := self._hear())["action"] == "checkpoint":
            answer = orjson.dumps({**said, "error": None}) + b"\n"
            self._process.stdin.write(answer)
            self._process.stdin.flush()
        if said != {"action": "status", "responseFor": action}:
            raise self._failure(f"said {said} to {action}")

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 (for the type checker)
        while line := self._process.stdout.readline():
            if line.strip():
                said: dict[str, Any] = orjson.loads(line)
                return said
        raise self._failure("ended")

    def _failure(self, what: str) -> WorkerError:
        self._errors.seek(0)
        log = self._log.read_bytes() if self._log.exists() else b""
        last = (self._errors.read() + log)[-_LAST_WORDS:].decode(errors="replace")
        return WorkerError(f"the worker process {what}; its last words:\n{last}")

    def _cpu(self) -> float:
        times = self._sight.cpu_times()
        return float(times.user + times.system)


def peak_bytes(pid: int | None = None) -> int:
    """Most memory that a process (None: this one) had so far: the kernel's own mark; else what is resident now."""
    with suppress(OSError):
        status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii", errors="replace")
        if found := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
            return int(found[1]) * 1024
    return int(psutil.Process(pid).memory_info().rss)
