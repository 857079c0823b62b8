"""The change that a comparison is said to find is found so often."""

import math
from random import Random

import pytest

from pytest_whq.judging.smallest_change import POWER, smallest_changes
from pytest_whq.judging.suite import Case, RunMean, judge_suite, outcome_of

pytestmark = pytest.mark.once


def runs(random: Random, count: int, sigma: float, level: float = 1.0) -> list[RunMean]:
    return [RunMean(number, level * math.exp(random.gauss(0.0, sigma)), 0.0) for number in range(count)]


def planned(base: list[RunMean], count: int = 1, limit: float = 0.05) -> Case:
    return Case([RunMean("head", 1.0, 0.0)] * count, base, limit)


@pytest.mark.parametrize(
    ("tests", "base", "head", "limit"), [(1, 3, 1, 0.05), (1, 6, 6, 0.02), (9, 6, 3, 0.02)]
)
def test_so_large_a_change_is_found_4_times_of_5(tests: int, base: int, head: int, limit: float) -> None:
    found, trials = 0, 60
    for seed in range(trials):
        random = Random(seed)
        bases = [runs(random, base, 0.01) for _ in range(tests)]
        change = smallest_changes([planned(one, head, limit) for one in bases])[0] or 10.0
        heads = [runs(random, head, 0.01, 1 + change if test == 0 else 1.0) for test in range(tests)]
        cases = [
            Case([run._replace(run=("head", run.run)) for run in one], other, limit)
            for one, other in zip(heads, bases, strict=True)
        ]
        found += outcome_of(judge_suite(cases)[0], limit) == "regressed"
    assert found / trials == pytest.approx(POWER, abs=0.1)


def steady(count: int) -> list[RunMean]:
    return [RunMean(number, 1.0, 0.0) for number in range(count)]


def test_more_runs_a_smaller_limit_and_less_noise_find_less() -> None:
    (few,), (many,) = (smallest_changes([planned(steady(3), count)]) for count in (1, 6))
    (narrow,) = smallest_changes([planned(steady(3), 6, limit=0.02)])
    (noisy,) = smallest_changes([planned(steady(3), 6)], run_noise=0.03)
    assert few is not None
    assert many is not None
    assert narrow is not None
    assert noisy is not None
    assert 0.02 < narrow < 0.05 < many < few < noisy


def test_among_many_tests_a_change_must_be_larger() -> None:
    random = Random(1)
    bases = [runs(random, 6, 0.01) for _ in range(100)]
    (alone,) = smallest_changes([planned(bases[0], limit=0.01)])
    among = smallest_changes([planned(base, limit=0.01) for base in bases])[0]
    assert alone is not None
    assert among is not None
    assert among > alone


def test_where_single_runs_are_often_far_off_none_may_be_found() -> None:
    random = Random(2)
    bases = [runs(random, 3, 0.01) for _ in range(30)]
    odd = [[RunMean(b[0].run, b[0].value * random.choice([1.0, 0.001, 1000.0]), 0.0), *b[1:]] for b in bases]
    assert smallest_changes([planned(base) for base in odd])[0] is None


def test_without_tests_there_is_nothing_to_find() -> None:
    assert smallest_changes([]) == []
