"""Metrics of many processes in one place: a supervisor's workers, one process per shard, write them into files.

prometheus-client's multiprocess mode, with two things on top. A process has an identity that no other ever has, and
holds a lock for as long as it lives: a process id tells neither, since ids come again, belong to threads too, and stay
with orphans that nobody buries. And the files of the dead are folded into one per type: workers come and go with their
shards for weeks, and the directory may lie on a small tmpfs, which kills who writes to it by mmap when it is full.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import struct
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from headcount.metric_space import ENTRY_BYTES, LEAST_BYTES, ReservedDict, reserve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client import Metric

MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

# A shard's counters vanish so long after its last worker: DynamoDB's shards last hours, and their names never end.
FORGET_SECONDS = 86_400.0

_ALIVE, _FILES = "alive", "*.db"
_DEAD = "dead"  # stands where a process' identity stands
_KEPT = ("counter", "histogram", "summary")  # of the dead
_TORN = (struct.error, RuntimeError, ValueError)  # what reading half a file raises

_log = structlog.get_logger()


def join(directory: Path) -> None:
    """Have this process write its metrics into ``directory``; call before the first one is made."""
    identity = secrets.token_hex(8)
    starting = directory / f"{identity}.starting"
    sign = os.open(starting, os.O_CREAT | os.O_RDWR, 0o600)  # open as long as the process lives
    fcntl.flock(sign, fcntl.LOCK_EX)
    starting.rename(directory / f"{identity}.{_ALIVE}")
    values.MmapedDict = ReservedDict  # type: ignore[attr-defined] # what it makes its files by
    values.ValueClass = values.MultiProcessValue(lambda: identity)  # type: ignore[no-untyped-call] # it has no types


class MetricFiles(Collector):
    """What all processes that joined ``directory`` wrote. Of the dead, gauges vanish; counters and histograms stay."""

    def __init__(self, directory: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._directory, self._monotonic = directory, monotonic
        self._lock = threading.Lock()
        self._died_at: dict[str, float] = {}  # by shard
        directory.mkdir(exist_ok=True)
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """All of it, summed up; no value twice and none left out, whatever `bury` does meanwhile."""
        with self._lock:
            files = [str(file) for file in sorted(self._directory.glob(_FILES)) if _is_whole(file)]
            return list(MultiProcessCollector.merge(files, accumulate=True))  # type: ignore[no-untyped-call] # no types

    def bury(self) -> int:
        """Fold what the dead have left; returns how many live."""
        with self._lock:
            files = list(self._directory.glob(_FILES))  # before the signs of life: who joins meanwhile lives
            signs = {sign: _is_held(sign) for sign in self._directory.glob(f"*.{_ALIVE}")}
            alive = {sign.stem for sign, held in signs.items() if held}
            dead = [file for file in files if _identity(file) not in {_DEAD, *alive}]
            living = {shard for file in files if _identity(file) in alive for shard in _shards(_read(file))}
            for file in dead:
                if not file.name.startswith(_KEPT):
                    file.unlink()
            for sign, held in signs.items():
                if not held:
                    sign.unlink()
            try:
                for kind in _KEPT:
                    self._fold(kind, [file for file in dead if file.name.startswith(kind)], living)
            except OSError as error:
                # They count where they are, and the next time there may be space.
                _log.warning("can't fold the metrics of dead workers", reason=str(error))
            return len(alive)

    def _fold(self, kind: str, dead: list[Path], living: set[str]) -> None:
        if not dead:
            return
        total, now = self._directory / f"{kind}_{_DEAD}.db", self._monotonic()
        sums: dict[str, float] = defaultdict(float, _read(total) if total.exists() else {})
        for file in dead:
            left = _read(file)
            for key, value in left.items():
                sums[key] += value
            self._died_at.update(dict.fromkeys(_shards(left), now))
        ended = {shard for shard, at in self._died_at.items() if now - at > FORGET_SECONDS and shard not in living}
        _write({key: value for key, value in sums.items() if _shard(key) not in ended}, total)
        for file in dead:
            file.unlink()
        for shard in ended:
            del self._died_at[shard]


def _identity(file: Path) -> str:
    return file.stem.rpartition("_")[2]


def _is_held(sign: Path) -> bool:
    with sign.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _is_whole(file: Path) -> bool:
    try:
        _parse(file, {})
    except _TORN:
        return False
    return True


def _read(file: Path) -> dict[str, float]:
    """The values in a file, up to where its process was killed amid a write."""
    found: dict[str, float] = {}
    with suppress(*_TORN):
        _parse(file, found)
    return found


def _parse(file: Path, found: dict[str, float]) -> None:
    for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call] # no types
        _shard(key)
        found[key] = value


def _shard(key: str) -> str:
    """The label ``shard`` in a key, or nothing; raises `ValueError` where it is no key."""
    _, _, labels, _ = json.loads(key)
    return str(labels.get("shard", ""))


def _shards(found: Mapping[str, float]) -> set[str]:
    return {shard for key in found if (shard := _shard(key))}


def _write(sums: Mapping[str, float], total: Path) -> None:
    """Put the sums into a file in place of ``total``."""
    made = total.with_suffix(".new")
    made.unlink(missing_ok=True)
    try:
        reserve(made, max(LEAST_BYTES, 8 + sum(len(key.encode()) + ENTRY_BYTES for key in sums)))
    except OSError:
        made.unlink(missing_ok=True)
        raise
    file = MmapedDict(str(made))  # type: ignore[no-untyped-call] # it has no types
    for key, value in sums.items():
        file.write_value(key, value, 0.0)  # type: ignore[no-untyped-call] # likewise
    file.close()  # type: ignore[no-untyped-call] # likewise
    made.replace(total)
