"""How a run of the demo ends: the tables against the traffic's truth, the invariants, the figures."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson

from headcount.audit import Audit

if TYPE_CHECKING:
    from pathlib import Path

    from headcount.demo.observe import Observer, TableWatch
    from headcount.demo.traffic import Traffic
    from headcount.demo.truth import Truth

_DIFFERENCES_SHOWN = 20


@dataclass
class Kill:
    """A kill -9: what was hit, when (s since the traffic began), and the longest the counts then stood still (s)."""

    target: str
    at: float
    standstill: float = 0.0


@dataclass
class Report:
    """What ``--json`` writes. Times in s."""

    exact: bool
    invariants: dict[str, bool]
    events: dict[str, int]
    first_count_seconds: float | None
    player_state_writes_per_event: float | None
    lag_seconds: float | None
    lag_seconds_p99: float | None
    longest_standstill_seconds: float
    players: int
    levels: dict[str, int]
    cutoff: int | None
    transitions_exact: bool | None
    exit_codes: dict[str, int]
    processes_left: int
    kills: list[Kill] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Verdict:
    """The drained tables against the traffic's truth, and the invariants by their numbers."""

    from_truth: list[str]
    invariants: dict[str, bool]
    others: list[str]

    @property
    def exact(self) -> bool:
        """Whether nothing differs."""
        return not self.from_truth and all(self.invariants.values())

    @property
    def differences(self) -> list[str]:
        """All that differs, in words."""
        return self.from_truth + self.others


def judge(truth: Truth, resent: int, watch: TableWatch) -> Verdict:
    """Compare once everything is drained and the last look taken.

    ``resent``: records whose answer was lost; each was sent again and may be on the stream twice.
    """
    cutoff = watch.cutoff
    rows = {player: (row.level, row.at) for player, row in watch.players.all()}
    levels = {level: row.players for level, row in watch.counts.levels().items() if row.players}
    audited = Audit(watch.players, watch.counts).strict(none_expired=True)
    tallies = watch.tallies()
    tallied = tallies.total()
    broken = {difference.invariant for difference in audited}
    expected = truth.expected_players(cutoff.cutoff if cutoff else None)
    invariants = {
        "I1": "I1" not in broken,
        "I2": "I2" not in broken and not watch.negative,
        "I3": rows == expected and bool(cutoff is None or cutoff.cutoff == cutoff.completed),
        "I4": "I4" not in broken,
        "I5": truth.total <= tallied <= truth.total + resent,
        "I6": not watch.went_backwards,
    }
    others = [str(difference) for difference in audited]
    if not invariants["I5"]:
        others.append(f"I5: {tallied} records tallied, {truth.total} sent")
    others += [f"I6: {name} went backwards" for name in watch.went_backwards]
    last = cutoff.cutoff if cutoff else None
    from_truth = truth.compare(rows, levels, last) + truth.false_leaves(
        last, tallies["late"], round(time.time() * 1000)
    )
    return Verdict(from_truth, invariants, others)


def make_report(
    truth: Truth,
    traffic: Traffic,
    observer: Observer,
    *,
    pass_seconds: float | None,
    first_count_seconds: float | None,
    kills: list[Kill],
    traffic_began: float,
    traffic_ended: float,
    exit_codes: dict[str, int],
    left_over: list[int],
    unfinished: list[str],
) -> Report:
    """Compare once everything is drained; ``unfinished``: what was not, when patience ended.

    ``pass_seconds``: where given, transitions are compared move by move too.
    """
    cutoff = observer.cutoff
    verdict = judge(truth, traffic.counters.resent, observer)
    levels = {level: row.players for level, row in observer.counts.levels().items() if row.players}
    tallies = observer.tallies()
    differences = unfinished + verdict.differences
    transitions_exact = None
    if pass_seconds is not None:
        moves = {(move.period, move.source, move.target): count for move, count in observer.transitions()}
        off = truth.expected_transitions(cutoff.cutoff if cutoff else None, pass_seconds).compare(moves)
        transitions_exact = not off
        differences += off
    for kill, until in zip(kills, [*(later.at + traffic_began for later in kills[1:]), traffic_ended], strict=False):
        kill.standstill = _standstill(observer.changed_at, kill.at + traffic_began, until)
    writes = observer.totals.sum("headcount_consumer_player_writes_total")
    return Report(
        exact=verdict.exact and transitions_exact is not False and not unfinished,
        invariants=verdict.invariants,
        events={"sent": truth.total, **{name: tallies[name] for name in sorted(tallies)}},
        first_count_seconds=_rounded(first_count_seconds),
        player_state_writes_per_event=_rounded(writes / truth.total if truth.total else None),
        lag_seconds=observer.totals.quantile("headcount_aggregator_lag_seconds", 0.5),
        lag_seconds_p99=observer.totals.quantile("headcount_aggregator_lag_seconds", 0.99),
        longest_standstill_seconds=round(_standstill(observer.changed_at, traffic_began, traffic_ended), 2),
        players=sum(1 for _ in observer.players.all()),
        levels=dict(sorted(levels.items(), key=lambda pair: -pair[1])),
        cutoff=cutoff.cutoff if cutoff else None,
        transitions_exact=transitions_exact,
        exit_codes=exit_codes,
        processes_left=len(left_over),
        kills=[Kill(kill.target, round(kill.at, 1), round(kill.standstill, 2)) for kill in kills],
        differences=differences[:_DIFFERENCES_SHOWN],
    )


def write_report(report: Report, path: Path) -> None:
    """As JSON, readable."""
    path.write_bytes(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2) + b"\n")


def _standstill(changed_at: list[float], since: float, until: float) -> float:
    """The longest time between two changes of the counts, of those that overlap ``since`` to ``until``."""
    times = [since, *(at for at in changed_at if since < at < until), until]
    return max(later - earlier for earlier, later in pairwise(times))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
