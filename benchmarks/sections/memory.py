"""Memory and processor time of each process of a whole Headcount under load."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from benchmarks.driver import MEGABYTE
from benchmarks.results import Chart, Findings, Sense
from benchmarks.sections.latency import Play, Traffic

if TYPE_CHECKING:
    from benchmarks.places import Size

SECONDS, FULL_SECONDS = 120.0, 1800.0
SHARDS = 1
RATE = 300.0  # events a second: what the emulators bear beside the services on two cores
EVERY_SECONDS = 5.0
CONSUMER = ("consumer", "consumer daemon", "consumer worker")
WORKERS = ("consumer worker", "level_aggregator worker")
MOST_MEGABYTES, MOST_MEGABYTES_OF_A_WORKER = 1000, 80
METHOD = f"""The three services as real processes on emulators, as for the latency, one shard, {RATE:.0f} events a
second of the standard load for {SECONDS:.0f} s ({FULL_SECONDS:.0f} with `--full`); resident memory every
{EVERY_SECONDS:.0f} s. The figures are of the last tenth of the run; growth is what it is above the second tenth's.
Processor time of the consumer's processes together, in % of a core, is over the whole run."""


def measure(size: Size) -> Findings:
    """See `METHOD`."""
    found = Findings("Memory and processor time over a run", METHOD)
    seconds = FULL_SECONDS if size.full else max(EVERY_SECONDS * 4, SECONDS * size.share)
    samples: list[dict[str, float]] = []
    with Play("bench-memory", {}, SHARDS) as play, Traffic(play, RATE) as traffic:
        cpu, begun = _cpu(play), time.monotonic()
        while time.monotonic() - begun < seconds:
            time.sleep(EVERY_SECONDS)
            samples.append({name: process.memory_info().rss / MEGABYTE for name, process in _processes(play)})
        took = time.monotonic() - begun
        used = (_cpu(play) - cpu) / took
        found.figure("events sent", "events/s", traffic.sent / took)
    tenth = max(1, len(samples) // 10)
    names = sorted(samples[-1])
    for name in names:
        begin = [sample[name] for sample in samples[tenth : 2 * tenth] if name in sample] or [samples[-1][name]]
        end = [sample[name] for sample in samples[-tenth:] if name in sample]
        growth = sum(end) / len(end) - sum(begin) / len(begin)
        size_now = found.figure(name, "MB", end, f"{growth:+.1f} MB since the second tenth")
        if name in WORKERS:
            found.target(f"{name}'s memory under load", Sense.MOST, MOST_MEGABYTES_OF_A_WORKER, size_now, "MB")
    whole = sum(samples[-1].get(name, 0.0) for name in CONSUMER)
    found.figure("a whole consumer", "MB", whole)
    found.target("a whole consumer's memory under load", Sense.MOST, MOST_MEGABYTES, whole, "MB")
    found.figure("a whole consumer's processor time, Java's too", "% of a core", 100 * used)
    series = {name: tuple(sample.get(name) for sample in samples) for name in names}
    labels = tuple(f"{(n + 1) * EVERY_SECONDS:.0f} s" for n in range(len(samples)))
    found.charts.append(Chart("memory", "Resident memory over the run: MB", labels, series, lines=True))
    return found


def _processes(play: Play) -> list[tuple[str, psutil.Process]]:
    found = []
    for service in play.services:
        found.append((service.name, service.supervisor))
        if daemon := service.daemon():
            found.append((f"{service.name} daemon", daemon))
        found += [(f"{service.name} worker", worker) for worker in service.workers()]
    return found


def _cpu(play: Play) -> float:
    total = 0.0
    for name, process in _processes(play):
        if name in CONSUMER:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
    return total
