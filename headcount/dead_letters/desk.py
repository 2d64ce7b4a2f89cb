"""What the commands for dead letters work with: settings, the store, and threads for its many small requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import typer

from headcount.aws import WRITE_THREADS, Aws, UnavailableError, verify_tables
from headcount.dead_letters import dead_letters
from headcount.dead_letters.redrive import Judge
from headcount.environment import load_settings
from headcount.logs import configure_logs
from headcount.snowplow import EventReader
from headcount.tables import MalformedRowError
from headcount.tables.progress import ProgressTable
from headcount.terminal import complain, in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from headcount.dead_letters.letter import Heading, Kept, Selection

EXIT_UNREADABLE = 65


class Desk:
    """The store that the settings name; raises `UnavailableError` where it is not there.

    ``tell`` gets a line for each thing in it that is no letter, once; the rest goes on.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._told = tell, set[str]()
        self.settings = load_settings()
        configure_logs("headcount", self.settings.log_format, self.settings.log_level)
        self.aws = Aws(self.settings.aws_region)
        directory = self.settings.dead_letter_directory
        if directory is None:
            verify_tables(self.aws.at_start(), self.settings, [self.settings.dead_letter_table])
        elif not directory.is_dir():
            raise UnavailableError(f"HEADCOUNT_DEAD_LETTER_DIRECTORY={directory} is no directory.")
        self.store = dead_letters(self.settings, self.aws.dynamodb)
        self.threads = ThreadPoolExecutor(WRITE_THREADS)

    @property
    def unreadable(self) -> int:
        """How many things were met that are no letters."""
        return len(self._told)

    def headings(self, selection: Selection) -> Iterator[Heading]:
        """Of the letters that are selected."""
        return self.store.headings(selection, self._refuse)

    def each(self, keys: Sequence[str], selection: Selection) -> Iterator[Kept]:
        """The letters named or, where none is, selected; who is gone meanwhile is left out."""
        for some in self._portions(keys, selection):
            for found in self.threads.map(self._get, some):
                if isinstance(found, MalformedRowError):
                    self._refuse(found)
                elif found is not None:
                    yield found

    def delete(self, keys: Sequence[str], selection: Selection) -> int:
        """Delete the letters named or, where none is, selected; how many there were."""
        return sum(sum(self.threads.map(self.store.delete, some)) for some in self._portions(keys, selection))

    def judge(self) -> Judge:
        """By the present code, settings and cutoff."""
        settings = self.settings
        reader = EventReader(settings.app_ids, settings.context_schema, settings.player_field, settings.level_field)
        cutoff = ProgressTable(self.aws.dynamodb, settings.progress_table).cutoff()
        return Judge(reader, cutoff.cutoff)

    def _get(self, key: str) -> Kept | MalformedRowError | None:
        try:
            return self.store.get(key)
        except MalformedRowError as error:
            return error

    def _refuse(self, error: MalformedRowError) -> None:
        line = str(error)
        if line not in self._told:
            self._told.add(line)
            self._tell(line)

    def _portions(self, keys: Sequence[str], selection: Selection) -> Iterator[list[str]]:
        found = iter(keys or (heading.key for heading in self.headings(selection)))
        while some := list(islice(found, WRITE_THREADS)):
            yield some


@contextmanager
def at_desk() -> Iterator[Desk]:
    """A desk for a command: what can't work is one line; so is what can't be read, and the exit code says so."""
    with in_one_line():
        desk = Desk(complain)
        yield desk
    if desk.unreadable:
        raise typer.Exit(EXIT_UNREADABLE)
