"""Each rule, broken on purpose: what the simulator must notice (``mutants.yaml``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Mutant:
    """``old``, which stands exactly once in ``file``, replaced by ``new``; ``seed``: the first one that notices."""

    name: str
    rule: int
    file: str
    old: str
    new: str
    seed: int

    def applied_to(self, source: str) -> str:
        """The broken source. Raises `ValueError` if it is not known where to break it."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.file} has {source.count(self.old)} places like that of the mutant {self.name!r}")
        return source.replace(self.old, self.new)


FILE = Path(__file__).with_name("mutants.yaml")
MUTANTS = tuple(Mutant(**mutant) for mutant in yaml.safe_load(FILE.read_text(encoding="utf-8")))
