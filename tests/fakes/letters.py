"""Dead letters in memory."""

from collections.abc import Callable, Iterator

from headcount.dead_letters.letter import DeadLetter, Ending, Heading, Kept, Selection, refuse
from headcount.tables import MalformedRowError
from tests.fakes.hooks import AFTER, BEFORE, Hook, no_hook


class MemoryDeadLetters:
    """Passes ``tests/contract/test_dead_letters.py``."""

    def __init__(self, hook: Hook = no_hook) -> None:
        self.letters: dict[str, DeadLetter] = {}
        self.deleted: dict[str, Ending] = {}
        self._hook = hook

    def put(self, letter: DeadLetter) -> None:
        """Keep it under its key."""
        self._hook("dead_letters.put", BEFORE)
        self.letters[letter.key] = letter
        self._hook("dead_letters.put", AFTER)

    def headings(
        self, selection: Selection, unreadable: Callable[[MalformedRowError], object] = refuse
    ) -> Iterator[Heading]:
        """As the real ones."""
        del unreadable  # what `put` took can be read
        for letter in list(self.letters.values()):
            heading = Heading(letter.key, letter.arrived_at, letter.reason, letter.detail, len(letter.raw))
            if selection.holds(heading):
                yield heading

    def get(self, key: str) -> Kept | None:
        """As the real ones."""
        letter = self.letters.get(key)
        return Kept(letter) if letter is not None else None

    def delete(self, key: str, why: Ending = Ending.DELETED) -> bool:
        """As the real ones; it is gone in one step."""
        self._hook("dead_letters.delete", BEFORE)
        found = self.letters.pop(key, None) is not None
        if found:
            self.deleted[key] = why
        self._hook("dead_letters.delete", AFTER)
        return found
