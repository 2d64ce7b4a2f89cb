"""Dead letters in memory."""

from headcount.dead_letters import DeadLetter
from tests.fakes.hooks import AFTER, BEFORE, Hook, no_hook


class MemoryDeadLetters:
    """Passes ``tests/contract/test_dead_letters.py``."""

    def __init__(self, hook: Hook = no_hook) -> None:
        self.letters: dict[str, DeadLetter] = {}
        self._hook = hook

    def put(self, letter: DeadLetter) -> None:
        """Keep it under its key."""
        self._hook("dead_letters.put", BEFORE)
        self.letters[letter.key] = letter
        self._hook("dead_letters.put", AFTER)
