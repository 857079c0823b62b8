"""A word that a file can hold stands once: what follows from it is looked up, and not spelled again."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import pytest_whq
from pytest_whq.errors import ReasonCode
from pytest_whq.model import BUDGET_OUTCOMES, COMPARISON_OUTCOMES, REASONS, TestOutcome
from pytest_whq.model.verdicts import BudgetOutcome, ComparisonOutcome

pytestmark = pytest.mark.once

PACKAGE = Path(pytest_whq.__file__).parent
OUTCOMES = (*get_args(BudgetOutcome), *get_args(ComparisonOutcome), *get_args(TestOutcome))
MOST = 3


@cache
def places() -> dict[str, set[str]]:
    """Each string of the package's code that is one word -> the files that spell it."""
    found = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(PACKAGE / "importing"):
            continue  # Other tools' files have fields of these names.
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found[node.value].add(str(path.relative_to(PACKAGE)))
    return found


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_is_spelled_in_at_most_three_files(outcome: str) -> None:
    spelled = places()[outcome]
    assert len(spelled) in range(1, MOST + 1), sorted(spelled)


def test_every_outcome_and_reason_has_what_follows_from_it() -> None:
    assert tuple(BUDGET_OUTCOMES) == get_args(BudgetOutcome)
    assert tuple(COMPARISON_OUTCOMES) == get_args(ComparisonOutcome)
    assert tuple(REASONS) == get_args(ReasonCode)


def test_what_is_not_settled_counts_as_no_verdict() -> None:
    meanings = (*BUDGET_OUTCOMES.values(), *COMPARISON_OUTCOMES.values())
    failing = [meaning.said for meaning in meanings if meaning.fails]
    assert failing == ["over budget", "budget unmeasured", "regressed"]
    unsettled = [word for word, meaning in COMPARISON_OUTCOMES.items() if not meaning.settled]
    assert unsettled == ["inconclusive", "new", "not_comparable", "not_measured"]
