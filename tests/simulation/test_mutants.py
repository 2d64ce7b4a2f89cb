"""The simulator notices each rule that is broken on purpose, at the seed where it was first noticed."""

import pytest

from tests.simulation.breaking import DOCUMENT, notice, table
from tests.simulation.mutants import MUTANTS, Mutant

LEAST = 15


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    assert notice(mutant, mutant.seed, 1) == mutant.seed


def test_every_rule_is_broken() -> None:
    assert {mutant.rule for mutant in MUTANTS} == {1, 2, 3, 4, 5, 6, 7, 8, 9}
    assert len(MUTANTS) >= LEAST


def test_the_document_tells_of_each() -> None:
    assert table(MUTANTS) in DOCUMENT.read_text(encoding="utf-8")
