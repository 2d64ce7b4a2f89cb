"""Why the cutoff does not rise: what an operator is told when pruning waits (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from headcount import rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from headcount.model import Progress
    from headcount.settings import Settings

UNOWNED_AFTER_MS = 30_000  # a live worker writes its row every 2 s


class Reason(StrEnum):
    """What keeps a shard's watermark back."""

    UNOWNED = "unowned"
    NO_WATERMARK = "no_watermark"
    BEHIND = "behind"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A shard that pruning waits for."""

    shard: str
    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.shard}: {self.detail}"


def waiting_for(
    counted: Sequence[str], rows: Mapping[str, Progress], stream_time: int | None, now: int, settings: Settings
) -> list[Waiting]:
    """The shards, of those that count, whose watermark stands back, and why. Only told: the rules decide without it."""
    silent = rules.silence([rows.get(shard) for shard in counted], rows.values())
    waiting = []
    for shard in counted:
        row = rows.get(shard)
        told = _told(row, stream_time, now, silent, settings)
        if told is not None:
            waiting.append(Waiting(shard, *told))
    return waiting


def _told(  # noqa: PLR0911 (one return per reason, the strongest first)
    row: Progress | None, stream_time: int | None, now: int, silent: tuple[int, int] | None, settings: Settings
) -> tuple[Reason, str] | None:
    if row is None:
        return Reason.UNOWNED, "no consumer has begun to read it"
    if now - row.updated_at > UNOWNED_AFTER_MS:
        return Reason.UNOWNED, f"no consumer has written its progress for {(now - row.updated_at) // 1000} s"
    if row.watermark is None:
        return Reason.NO_WATERMARK, "it has had no event yet"
    normal = round(settings.refresh_seconds * 1000) + UNOWNED_AFTER_MS
    if stream_time is not None and stream_time - row.watermark > normal:
        return Reason.BEHIND, f"it is {(stream_time - row.watermark) // 1000} s of event time behind the others"
    if silent is not None and 0 < silent[0] < settings.max_silence_ms:
        quiet, most = silent[0] // 1000, settings.max_silence_seconds
        return Reason.SILENT, f"the whole stream has been silent for {quiet} s; after {most:.0f} s the clock goes on"
    if now - row.watermark > normal:
        return Reason.BEHIND, f"its consumer is {(now - row.watermark) // 1000} s behind the clock"
    return None
