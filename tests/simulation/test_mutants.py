"""The mutants still fit the code, and planted ones are caught; `make mutants` hunts them all."""

from __future__ import annotations

import pytest

from tests.simulation import mutants

QUICK = ("acknowledge before the commit", "a lost location's rows stay", "edit time unclamped")


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_has_its_place_in_the_code(mutant: mutants.Mutant) -> None:
    text = (mutants.ROOT / mutant.file).read_text()
    assert mutant.old != mutant.new
    assert text.count(mutant.old) == 1, f"{mutant.file} has changed: let the mutant follow"


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_fault_is_caught(name: str) -> None:
    mutant = next(one for one in mutants.MUTANTS if one.name == name)
    verdict = mutants.hunted(mutant, most=60)
    assert verdict.caught_by, f"{verdict.runs} runs passed with: {name}"
