"""What the commands for dead letters work with: settings, the store, and threads for its many small requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from headcount.aws import WRITE_THREADS, Aws, UnavailableError, verify_tables
from headcount.dead_letters import dead_letters
from headcount.dead_letters.redrive import Judge
from headcount.logs import configure_logs
from headcount.settings import load_settings
from headcount.snowplow import EventReader
from headcount.tables.progress import ProgressTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from headcount.dead_letters.letter import Kept, Selection


class Desk:
    """The store that the settings name; raises `UnavailableError` where it is not there."""

    def __init__(self) -> None:
        self.settings = load_settings()
        configure_logs("headcount", self.settings.log_format, self.settings.log_level)
        self.aws = Aws(self.settings.aws_region)
        directory = self.settings.dead_letter_directory
        if directory is None:
            verify_tables(self.aws.at_start(), [self.settings.dead_letter_table])
        elif not directory.is_dir():
            raise UnavailableError(f"HEADCOUNT_DEAD_LETTER_DIRECTORY={directory} is no directory.")
        self.store = dead_letters(self.settings, self.aws.dynamodb)
        self.threads = ThreadPoolExecutor(WRITE_THREADS)

    def each(self, keys: Sequence[str], selection: Selection) -> Iterator[Kept]:
        """The letters named or, where none is, selected; who is gone meanwhile is left out."""
        for some in self._portions(keys, selection):
            yield from filter(None, self.threads.map(self.store.get, some))

    def delete(self, keys: Sequence[str], selection: Selection) -> int:
        """Delete the letters named or, where none is, selected; how many there were."""
        return sum(sum(self.threads.map(self.store.delete, some)) for some in self._portions(keys, selection))

    def judge(self) -> Judge:
        """By the present code, settings and cutoff."""
        settings = self.settings
        reader = EventReader(settings.app_ids, settings.context_schema, settings.player_field, settings.level_field)
        cutoff = ProgressTable(self.aws.dynamodb, settings.progress_table).cutoff()
        return Judge(reader, cutoff.cutoff)

    def _portions(self, keys: Sequence[str], selection: Selection) -> Iterator[list[str]]:
        found = iter(keys or (heading.key for heading in self.store.headings(selection)))
        while some := list(islice(found, WRITE_THREADS)):
            yield some
