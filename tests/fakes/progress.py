"""StreamProgress in memory, with all that it ever held."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from headcount.model import Cutoff, Progress
from headcount.rules import latest
from headcount.tables.progress import ProgressTable
from tests.fakes.hooks import AFTER, BEFORE, Hook, no_hook

LATER_THAN_ANY = 10**15  # ms


class MemoryProgress(ProgressTable):
    """Passes ``tests/contract/test_progress_table.py``. ``history``: every state of every worker's row."""

    def __init__(self, hook: Hook = no_hook) -> None:
        self.name = "StreamProgress"
        self.rows: dict[str, Progress] = {}
        self.history: defaultdict[str, list[Progress]] = defaultdict(list)
        self._cutoff = Cutoff()
        self.read_at: int | None = LATER_THAN_ANY  # so that the reader's own clock counts
        self._hook = hook

    def read(self, worker: str) -> Progress | None:
        """As the real one."""
        self._hook("progress.read", BEFORE)
        return self.rows.get(worker)

    def read_all(self, prefix: str) -> dict[str, Progress]:
        """As the real one."""
        return {worker.removeprefix(prefix): row for worker, row in self.rows.items() if worker.startswith(prefix)}

    def read_many(self, workers: Sequence[str]) -> dict[str, Progress]:
        """As the real one."""
        return {worker: self.rows[worker] for worker in workers if worker in self.rows}

    def move(self, worker: str, was: Progress, now: Progress) -> bool:
        """As the real one."""
        self._hook("progress.move", BEFORE)
        if not self.may_move(worker, was, now):
            return False
        self.put(worker, now)
        self._hook("progress.move", AFTER)
        return True

    def may_move(self, worker: str, was: Progress, now: Progress) -> bool:
        """The condition of the update."""
        row = self.rows.get(worker, Progress())
        if row.position != was.position:
            return False
        if row.watermark is not None and now.watermark is None:
            return False
        times = [
            (row.watermark, now.watermark),
            (row.settled, now.settled),
            (row.arrived_at, now.arrived_at),
            (row.caught_up_at, now.caught_up_at),
            (row.seen_at, now.seen_at),
        ]
        return all(before is None or after is None or before <= after for before, after in times)

    def put(self, worker: str, now: Progress) -> None:
        """The update: what ``now`` does not know stays."""
        row = self.rows.get(worker, Progress())
        self.rows[worker] = Progress(
            position=row.position if now.position is None else now.position,
            watermark=row.watermark if now.watermark is None else now.watermark,
            settled=row.settled if now.settled is None else now.settled,
            tallies=dict(now.tallies),
            arrived_at=row.arrived_at if now.arrived_at is None else now.arrived_at,
            caught_up_at=row.caught_up_at if now.caught_up_at is None else now.caught_up_at,
            seen_at=row.seen_at if now.seen_at is None else now.seen_at,
            updated_at=now.updated_at,
            ended=row.ended or now.ended,
            expires_at=row.expires_at if now.expires_at is None else now.expires_at,
            poison=row.poison if now.poison is None else now.poison,
            units=now.units,
        )
        self.history[worker].append(self.rows[worker])

    def cutoff(self) -> Cutoff:
        """As the real one."""
        self._hook("progress.cutoff", BEFORE)
        return replace(self._cutoff, read_at=self.read_at)

    def publish(
        self, *, stream_time: int | None, cutoff: int | None, held_back: str, updated_at: int, units: int = 0
    ) -> Cutoff:
        """As the real one."""
        self._cutoff = replace(
            self._cutoff,
            stream_time=latest(self._cutoff.stream_time, stream_time),
            cutoff=latest(self._cutoff.cutoff, cutoff),
            held_back=held_back,
            updated_at=updated_at,
            units=self._cutoff.units + units,
        )
        return self._cutoff

    def complete(self, cutoff: int) -> None:
        """As the real one."""
        self._cutoff = replace(self._cutoff, completed=latest(self._cutoff.completed, cutoff))
