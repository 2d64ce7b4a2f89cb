"""The map's stream on a small task: clients held, how late they hear, how soon they are back, what slow ones cost."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson
import psutil

from benchmarks.changing_levels import CHANGING, LEVELS, ChangingLevels
from benchmarks.driver import MEGABYTE, ROOT
from benchmarks.places import DYNAMODB_LOCAL, HEAP_MEGABYTES, install
from benchmarks.quota import Quota, quota
from benchmarks.results import Chart, Findings, Sense
from headcount.demo.dynamodb_local import DynamoDbLocal
from headcount.demo.leash import leashed
from headcount.demo.ministack import MiniStack
from tests.integration.service import free_port
from tests.integration.sites import Site
from tests.integration.waiting import eventually

if TYPE_CHECKING:
    from benchmarks.places import Size

CLIENTS, SLOW = 2000, 200
CORES = 0.25
SECONDS, LEAST_SECONDS, SLOW_SECONDS = 60.0, 10.0, 60.0
PATIENCE_SECONDS = 180.0
MOST_SECONDS = 2.0
LOOK_SECONDS = 0.2
METHOD = f"""One real `python -m game_map`, limited by a control group to {CORES} of a core, as a small task has it (the
figures say where that could not be). {CLIENTS:,} clients in one process of their own hold `/api/stream` over raw
sockets. Of {LEVELS} levels {CHANGING} change each second, and one more, the probe: in one transaction of the
aggregator's kind with half as many moves, on DynamoDB Local; the events' stream is on MiniStack. From before that
transaction is sent to when a client has the event with that count, or a later one: for {SECONDS:.0f} s, all clients.
Then {SLOW} clients more that never read, for {SLOW_SECONDS:.0f} s: what that adds to the process' memory. Then a
kill -9 and a new process at once: until each client has a first event again, coming back every 2 s as browsers do. All
clients, emulators and the map share the machine's cores."""


class Clients:
    """A process of `benchmarks.listeners`."""

    def __init__(self, port: int, count: int, *, slow: bool = False) -> None:
        command = [sys.executable, "-m", "benchmarks.listeners", str(port), str(count), str(count if slow else 0)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.count = count

    def ask(self, command: bytes) -> Any:
        """Its answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError
        self._process.stdin.write(command + b"\n")
        self._process.stdin.flush()
        return orjson.loads(self._process.stdout.readline())

    def told(self) -> int:
        """How many are being told."""
        return int(self.ask(b"state")[0])

    def end(self) -> None:
        """All go."""
        self._process.kill()
        self._process.wait()


class Map:
    """The process that is measured; `kill` and `start` again at will."""

    def __init__(self, site: Site, limit: Quota, directory: Path) -> None:
        self.port = free_port()
        self._limit, self._log = limit, directory / "game_map.log"
        self._environment = {
            **site.environment,
            "HEADCOUNT_MAP_PORT": str(self.port),
            "HEADCOUNT_MAP_BURST": "1000000",  # they have one address here
            "HEADCOUNT_MAP_ADDRESS_STREAMS": "100000",
            "HEADCOUNT_METRICS_PORT": str(free_port()),
        }

    def start(self) -> None:
        """Again, or for the first time."""
        with self._log.open("ab") as log:
            self._leash = subprocess.Popen(
                leashed(*self._limit.command(sys.executable, "-m", "game_map")),
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        leash = psutil.Process(self._leash.pid)
        self.process = eventually(leash.children, PATIENCE_SECONDS, "the map's process")[0]

    def kill(self) -> None:
        """-9."""
        self.process.kill()
        self._leash.wait()

    def cpu(self) -> float:
        """Seconds so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    def memory(self) -> float:
        """MB that are its own."""
        return self.process.memory_info().rss / MEGABYTE


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("The map's stream", METHOD)
    install()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="headcount-bench-")))
        base = stack.enter_context(DynamoDbLocal(DYNAMODB_LOCAL, heap_megabytes=HEAP_MEGABYTES))
        kinesis = stack.enter_context(MiniStack(services=["kinesis"]))
        own = {
            "AWS_ENDPOINT_URL_DYNAMODB": base.endpoint_url,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": base.endpoint_url,
        }
        site = stack.enter_context(Site(kinesis.endpoint_url, "bench-map", directory, shards=1, **own))
        limit = stack.enter_context(quota(CORES))
        writer = stack.enter_context(ChangingLevels(site))
        game_map = Map(site, limit, directory)
        game_map.start()
        stack.callback(game_map.kill)
        clients = Clients(game_map.port, size.of(CLIENTS))
        stack.callback(clients.end)
        _held(found, size, writer, game_map, clients, limit)
        _slow(found, size, game_map)
        _storm(found, game_map, clients)
    return found


def _all_told(clients: Clients) -> float:
    begun = time.monotonic()
    while clients.told() < clients.count:
        if time.monotonic() - begun > PATIENCE_SECONDS:
            raise TimeoutError(f"{clients.told()} of {clients.count} clients are told anything")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - begun


def _held(found: Findings, size: Size, writer: ChangingLevels, game_map: Map, clients: Clients, limit: Quota) -> None:
    _all_told(clients)
    time.sleep(LEAST_SECONDS)
    clients.ask(b"take")
    begun, cpu, periods = time.monotonic(), game_map.cpu(), limit.throttled()
    first = max(writer.sent) + 1
    time.sleep(max(LEAST_SECONDS, SECONDS * size.share))
    last = max(writer.sent) - round(MOST_SECONDS) - 1
    told, took = clients.told(), time.monotonic() - begun
    share = (game_map.cpu() - cpu) / took
    waited = [after - before for before, after in zip(periods, limit.throttled(), strict=True)]
    waits = delays(clients.ask(b"take"), writer.sent, first, last)
    hundredths = quantiles(waits, n=100, method="inclusive")
    bound = f"limited to {CORES} of a core" if limit.holds else "no limit could be set"
    found.figure("clients held", "", float(told), f"{bound}; {len(waits):,} deliveries")
    found.figure("LevelState's write to a client's receipt, p50", "s", hundredths[49])
    found.figure("LevelState's write to a client's receipt, p99", "s", hundredths[98])
    found.figure("LevelState's write to a client's receipt, slowest", "s", max(waits))
    found.figure("processor time", "% of a core", share * 100)
    found.figure("it had to wait for its share", "% of periods", 100 * waited[1] / max(1, waited[0]))
    found.figure("memory", "MB", game_map.memory())
    found.target(f"clients of the map's stream, {CORES} of a core", Sense.LEAST, CLIENTS, told, "")
    found.target("LevelState's write to a client's receipt, p99", Sense.MOST, MOST_SECONDS, hundredths[98], "s")
    found.target("the map's processor time with all of them", Sense.MOST, CORES * 100, share * 100, "% of a core")
    tenths = tuple(range(10, 100, 10))
    labels = (*(f"p{tenth}" for tenth in tenths), "p99")
    values = (*(hundredths[tenth - 1] for tenth in tenths), hundredths[98])
    found.charts.append(Chart("map", "From LevelState to a client: seconds", labels, {"s": values}))


def delays(received: list[list[tuple[int, float]]], sent: dict[int, float], first: int, last: int) -> list[float]:
    """Of each client and probe; one that was told with a later one came with that. Fails if one never came."""
    delays: list[float] = []
    for its in received:
        wanted = first
        for probe, at in its:
            while wanted <= min(probe, last):
                delays.append(at - sent[wanted])
                wanted += 1
        if wanted <= last:
            raise AssertionError(f"a client never heard of probe {wanted}, and {last} were written")
    return delays


def _slow(found: Findings, size: Size, game_map: Map) -> None:
    slow = Clients(game_map.port, size.of(SLOW), slow=True)
    try:
        time.sleep(LEAST_SECONDS)
        before, samples = game_map.memory(), []
        until = time.monotonic() + max(LEAST_SECONDS, SLOW_SECONDS * size.share)
        while time.monotonic() < until:
            time.sleep(1)
            samples.append(game_map.memory())
    finally:
        slow.end()
    found.figure(f"memory that {slow.count} clients add that never read", "MB", max(samples) - before)


def _storm(found: Findings, game_map: Map, clients: Clients) -> None:
    game_map.kill()
    game_map.start()
    took = _all_told(clients)
    found.figure("kill -9 until each client is told again", "s", took, f"{clients.count:,} clients")
