"""What the commands say of dead letters (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from headcount.dead_letters.letter import Ending
from headcount.dead_letters.redrive import Verdict
from headcount.explain import shown
from headcount.terminal import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from botocore.exceptions import ClientError

    from headcount.dead_letters.letter import DeadLetter, Heading, Kept
    from headcount.dead_letters.redrive import Forecast


_MOST_NAMED = 20


def plural(count: int, what: str) -> str:
    """``1 letter``, ``2 letters``."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def headline(heading: Heading, *, as_json: bool) -> str:
    """A letter in a list, without its bytes."""
    if as_json:
        content = {
            "key": heading.key,
            "shard": heading.shard,
            "arrivedAt": heading.arrived_at,
            "reason": heading.reason,
            "detail": heading.detail,
            "size": heading.size,
            "ending": heading.ending,
            "lostFirstPart": heading.lost_first_part,
        }
        return orjson.dumps(content).decode()
    size = "?" if heading.size is None else heading.size
    line = f"{heading.key}  {shown(heading.arrived_at)}  {size} B  {heading.reason}: {heading.detail}"
    if heading.lost_first_part:
        line += "  It has lost its first part."
    return harmless(line + (f"  {cut_short(heading.ending)}" if heading.ending else ""))


def cut_short(ending: Ending) -> str:
    """What a person must know of a letter whose deletion was begun."""
    before = {Ending.SENT: "It was sent again before", Ending.DELETED: "It was given up before"}
    return f"{before[ending]}, and its deletion was cut short: delete it."


def incomplete(kept: Kept) -> Iterator[str]:
    """What is wrong with a letter that is not all there; nothing where nothing is."""
    if kept.ending is not None:
        yield cut_short(kept.ending)
    if kept.missing:
        named = ", ".join(map(str, kept.missing[:_MOST_NAMED]))
        more = f" and {len(kept.missing) - _MOST_NAMED} more" if len(kept.missing) > _MOST_NAMED else ""
        yield f"Of its {kept.parts} parts these are missing: {named}{more}. The bytes are not whole."


def refused(letter: DeadLetter, error: ClientError) -> str:
    """A letter that was not sent, in AWS's words."""
    why = error.response["Error"]
    return (
        f"The stream refuses the record of dead letter {letter.key} ({plural(len(letter.raw), 'byte')}): "
        f"{why['Code']}: {why.get('Message', '')}"
    )


def sums(counts: Mapping[str, int]) -> str:
    """Letters by reason."""
    total = sum(counts.values())
    return f"{plural(total, 'dead letter')}{': ' if total else ''}{_by_reason(counts)}."


def whole(kept: Kept, raw_file: Path | None) -> Iterator[str]:
    """All of a letter; its bytes so that every character can be told, or where they were written."""
    letter = kept.letter
    yield f"key              {letter.key}"
    yield f"stream           {letter.stream}"
    yield f"shard            {letter.shard}"
    yield f"sequence number  {letter.sequence_number}"
    yield f"arrived at       {shown(letter.arrived_at)}"
    yield f"reason           {letter.reason}"
    yield f"detail           {letter.detail}"
    yield f"size             {plural(len(letter.raw), 'byte')} in {plural(kept.parts, 'part')}"
    if raw_file is None:
        yield f"raw              {letter.raw.decode(errors='backslashreplace')}"
    else:
        yield f"raw              written to {raw_file}"


def told(forecast: Forecast, cutoff: int | None, *, even_poison: bool) -> Iterator[str]:
    """What would become of the letters."""
    letters = plural(forecast.verdicts.total(), "dead letter")
    yield f"{letters}, {plural(forecast.size, 'byte')}, read with the present code and settings:"
    lines = {
        Verdict.LEVEL_EVENT: "can be read and are level events",
        Verdict.IGNORED: "can be read and will be ignored: no level events",
        Verdict.LATE: "can be read and will end as late: their players have left, they are older than the cutoff "
        f"{shown(cutoff)}",
        Verdict.POISON: f"still can't be read ({_by_reason(forecast.poison)}): "
        + ("sent all the same, they come back as new letters" if even_poison else "not sent"),
        Verdict.INCOMPLETE: "have lost a part: not sent",
        Verdict.SENT_BEFORE: "were sent again before, and their deletion was cut short: not sent; delete them",
        Verdict.DELETED_BEFORE: "were given up before, and their deletion was cut short: not sent; delete them",
    }
    for verdict, line in lines.items():
        if forecast.verdicts[verdict]:
            yield f"{forecast.verdicts[verdict]:>9}  {line}"


def _by_reason(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
