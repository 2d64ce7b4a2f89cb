"""What a person's commands have in common on a terminal: errors in one line, and nothing that steers it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from botocore.exceptions import BotoCoreError, ClientError

from headcount.aws import UnavailableError, explained
from headcount.service import EXIT_UNAVAILABLE
from headcount.tables import MalformedRowError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def in_one_line() -> Iterator[None]:
    """What can't work ends the command with one line on stderr."""
    try:
        yield
    except (UnavailableError, MalformedRowError) as error:
        _end(str(error))
    except (BotoCoreError, ClientError) as error:
        _end(str(explained(error, "AWS")))
    except BrokenPipeError:  # who reads our output has seen enough
        raise
    except OSError as error:
        what = error.strerror or str(error)  # a file that is open already has no name here
        _end(f"{what}." if error.filename is None else f"{error.filename}: {what}.")


def harmless(line: str) -> str:
    """A line for a terminal: ids come from players' browsers, and may hold what moves its cursor or sets its title."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def complain(line: str) -> None:
    """One line on stderr."""
    typer.echo(f"headcount: {harmless(line)}", err=True)


def _end(line: str) -> None:
    complain(line)
    raise typer.Exit(EXIT_UNAVAILABLE) from None
