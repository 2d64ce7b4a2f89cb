"""``python -m headcount dead-letters list | show | redrive | delete``: what a person does with dead letters."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import orjson
import typer

from headcount.aws import verify_stream, verify_tables
from headcount.dead_letters.desk import EXIT_UNREADABLE, at_desk
from headcount.dead_letters.letter import Selection
from headcount.dead_letters.raw_file import write_for_nobody_else
from headcount.dead_letters.redrive import MOST_RECORDS, Sender, redrive
from headcount.dead_letters.texts import headline, incomplete, plural, refused, sums, told, whole
from headcount.dead_letters.when import moment
from headcount.model import PoisonReason
from headcount.terminal import complain, harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore.exceptions import ClientError

    from headcount.dead_letters.desk import Desk
    from headcount.dead_letters.letter import DeadLetter

EXIT_NOT_DONE = 1
STDOUT = Path("-")

app = typer.Typer(no_args_is_help=True, help="Records that couldn't be read: list, show, send again, delete.")

Keys = Annotated[list[str] | None, typer.Argument(metavar="KEY...", help="Of letters, as `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All letters, or those that the options below select.")]
Reason = Annotated[PoisonReason | None, typer.Option(help="Only those with this reason.")]
ShardId = Annotated[str | None, typer.Option("--shard", help="Only those of this shard, by its whole id.")]
Since = Annotated[
    str | None,
    typer.Option(help="Only those that arrived since then: 2026-11-24T07:00 (UTC), or 90s, 15m, 2h, 3d ago."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list")
def list_letters(
    *,
    reason: Reason = None,
    shard: ShardId = None,
    since: Since = None,
    limit: Annotated[int | None, typer.Option(min=0, help="List no more than so many; the sums are of all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line; the last one has the sums.")] = False,
) -> None:
    """List letters, in no order, and count them by reason. Raw bytes are never shown."""
    selection = Selection(reason, shard, _moment(since))
    with at_desk() as desk:
        counts: Counter[str] = Counter()
        for heading in desk.headings(selection):
            if limit is None or counts.total() < limit:
                typer.echo(headline(heading, as_json=as_json))
            counts[heading.reason] += 1
        if as_json:
            typer.echo(orjson.dumps({"total": counts.total(), "reasons": counts}).decode())
        else:
            unlisted = counts.total() - limit if limit is not None and counts.total() > limit else 0
            typer.echo(harmless(sums(counts) + (f" {unlisted} of them are not listed." if unlisted else "")))


@app.command()
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `list` shows it.")],
    raw: Annotated[
        Path | None, typer.Option(help="Write the exact bytes into this file instead of showing them; -: to stdout.")
    ] = None,
) -> None:
    """Show all of a letter, its bytes too: they may be personal data."""
    with at_desk() as desk:
        kept = next(desk.each([key], Selection()), None)
        if kept is None:
            if desk.unreadable:
                return
            _refuse([key])
        if raw == STDOUT:
            sys.stdout.buffer.write(kept.letter.raw)
            sys.stdout.flush()
        else:
            if raw is not None:
                write_for_nobody_else(raw, kept.letter.raw)
            typer.echo("\n".join(map(harmless, whole(kept, raw))))
        wrong = list(incomplete(kept))
        for line in wrong:
            complain(line)
        if wrong:
            raise typer.Exit(EXIT_NOT_DONE)


@app.command("redrive")
def redrive_letters(
    keys: Keys = None,
    *,
    every: All = False,
    reason: Reason = None,
    shard: ShardId = None,
    since: Since = None,
    even_poison: Annotated[bool, typer.Option("--even-poison", help="Send also what still can't be read.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Yes = False,
) -> None:
    """Put letters back onto the events' stream, and delete them once Kinesis has taken them.

    Says beforehand what the present code and settings make of them. An event older than the cutoff ends as late.
    """
    chosen, selection = _chosen(keys, reason, shard, since, every=every)
    with at_desk() as desk:
        verify_tables(desk.aws.at_start(), desk.settings, [desk.settings.progress_table])
        stream = verify_stream(desk.aws.at_start(), desk.settings.events_stream).name
        _check(desk, chosen)
        judge = desk.judge()
        forecast = judge.forecast(desk.each(chosen, selection))
        count = forecast.sendable(even_poison=even_poison)
        typer.echo("\n".join(told(forecast, judge.cutoff, even_poison=even_poison)))
        if dry_run or not count:
            typer.echo(f"{plural(count, 'record')} would be sent." if count else "There is nothing to send.")
            return
        typer.echo(
            f"{plural(count, 'record')} will be put onto Kinesis stream {stream}, up to {MOST_RECORDS} in a request; "
            "each letter is deleted once its record is taken. At least once: where this command is cut short, or an "
            f"answer is lost, up to {MOST_RECORDS} records are sent again by the next. A double changes no count, it "
            "only adds to the tallies."
        )
        _confirm("Send?", yes=yes)
        done, kept = 0, Counter[str]()

        def keep(letter: DeadLetter, error: ClientError) -> None:
            complain(refused(letter, error))
            kept[letter.reason] += 1

        letters = judge.sendable(desk.each(chosen, selection), even_poison=even_poison)
        for done in redrive(letters, Sender(desk.aws.kinesis, stream), desk.store, desk.threads, keep):
            typer.echo(f"{done} sent", err=True)
        typer.echo(f"Sent {plural(done, 'record')}, and deleted their letters.")
        if kept:
            complain(f"{plural(kept.total(), 'record')} refused by the stream, so not sent. The letters are kept.")
            raise typer.Exit(EXIT_NOT_DONE)


@app.command()
def delete(
    keys: Keys = None,
    *,
    every: All = False,
    reason: Reason = None,
    shard: ShardId = None,
    since: Since = None,
    yes: Yes = False,
) -> None:
    """Delete letters for good."""
    chosen, selection = _chosen(keys, reason, shard, since, every=every)
    with at_desk() as desk:
        _check(desk, chosen)
        if not chosen:
            counts = Counter(heading.reason for heading in desk.headings(selection))
            typer.echo(harmless(sums(counts)))
            if not counts:
                return
        _confirm(f"Delete {'them' if len(chosen) != 1 else 'it'} for good?", yes=yes)
        typer.echo(f"Deleted {plural(desk.delete(chosen, selection), 'letter')}.")


def _chosen(
    keys: list[str] | None, reason: PoisonReason | None, shard: str | None, since: str | None, *, every: bool
) -> tuple[list[str], Selection]:
    """Keys, or a selection of what has arrived by now: what comes back while we work is none of it."""
    if bool(keys) == every or (keys and any((reason, shard, since))):
        raise typer.BadParameter("give keys, or --all with or without --reason, --shard and --since")
    if not all(keys or []):
        raise typer.BadParameter("a key is empty; `list` shows them")
    return list(dict.fromkeys(keys or [])), Selection(reason, shard, _moment(since), until=round(time.time() * 1000))


def _check(desk: Desk, keys: Sequence[str]) -> None:
    there = {kept.letter.key for kept in desk.each(keys, Selection())} if keys else set()
    if desk.unreadable:
        raise typer.Exit(EXIT_UNREADABLE)
    missing = [key for key in keys if key not in there]
    if missing:
        _refuse(missing)


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True)


def _refuse(keys: list[str]) -> NoReturn:
    for key in keys:
        complain(f"There is no dead letter {key}. Nothing was done.")
    raise typer.Exit(EXIT_NOT_DONE)


def _moment(since: str | None) -> int | None:
    try:
        return None if since is None else moment(since, time.time())
    except ValueError as error:
        raise typer.BadParameter(f"--since: {error}") from error
