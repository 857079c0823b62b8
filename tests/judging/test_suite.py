import math
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from benchmark_modules import benchmark

from pytest_whq.judging.suite import Case, Judged, RunMean, RunningSuite, judge_suite, outcome_of

pytestmark = pytest.mark.once


def around(value: float, half: float) -> object:
    """A ratio whose interval reaches ``half`` to both sides in the logarithm."""
    return pytest.approx((value, value * math.exp(-half), value * math.exp(half)), rel=1e-3)


def judged(head: Sequence[RunMean], base: Sequence[RunMean], run_noise: float = 0.01) -> Judged:
    """A test of a suite of its own."""
    (found,) = judge_suite([Case(head, base, 0.05)], run_noise)
    return found


def told(ratio: Judged) -> tuple[float, float, float]:
    return ratio.value, ratio.low, ratio.high


def test_single_runs_have_the_noise_of_their_rounds_and_the_run_noise() -> None:
    ratio = judged([RunMean(None, 1.1, 0.01)], [RunMean(None, 1.0, 0.02)], run_noise=0.01)
    assert told(ratio) == around(1.1, 2.776 * math.sqrt(2 * 0.01**2 + 0.01**2 + 0.02**2))


def test_runs_that_agree_have_the_run_noise_all_the_same() -> None:
    ratio = judged([RunMean(None, 1.0, 0.0)], [RunMean(None, 1.0, 0.0)] * 3, run_noise=0.01)
    assert told(ratio) == around(1.0, 2.447 * 0.01 * math.sqrt(1 + 1 / 3))


def test_the_spread_between_runs_is_averaged_with_the_run_noise() -> None:
    base = [RunMean(None, math.exp(step), 0.0) for step in (-0.05, 0.0, 0.05)]
    ratio = judged([RunMean(None, 2.0, 0.0)], base, run_noise=0.01)
    between = (4 * 0.01**2 + 2 * 0.05**2) / 6
    assert told(ratio) == around(2.0 / 1.000833, 2.447 * math.sqrt(between * (1 + 1 / 3)))


def test_what_rounds_explain_is_no_spread_between_runs() -> None:
    base = [RunMean(None, math.exp(step), 0.06) for step in (-0.05, 0.0, 0.05)]
    ratio = judged([RunMean(None, 1.0, 0.06)], base, run_noise=0.01)
    assert told(ratio) == around(1 / 1.000833, 2.447 * math.sqrt((0.01**2 + 0.06**2) * (1 + 1 / 3)))


def test_one_wild_round_makes_unsure_and_not_wrong() -> None:
    # One of ten rounds takes twice the energy: the mean rises by 10 %, and its error is as much.
    ratio = judged([RunMean(None, 1.1, 0.1 / 1.1)], [RunMean(None, 1.0, 0.005)])
    assert outcome_of(ratio, 0.05) == "inconclusive"


def test_hopeless_figures_stay_finite() -> None:
    ratio = judged([RunMean(None, 1e18, 1e9)], [RunMean(None, 1e-18, 1e9)])
    assert told(ratio) == pytest.approx((1e9, 1e9 * math.exp(-20), 1e9 * math.exp(20)))


SEEDS = range(10)


@pytest.fixture(scope="module")
def suites() -> Any:
    """The benchmark as a module."""
    return benchmark("suites")


@pytest.mark.parametrize(
    "noise",
    [
        {"sigma": 0.003},
        {"sigma": 0.01},
        {"sigma": 0.03},
        {"heavy": True},
        {"odd": 0.05},
        {"odd": 0.05, "repeats": 2},
    ],
    ids=str,
)
def test_a_suite_of_the_same_code_on_a_warmer_machine_has_no_regression(
    suites: Any, noise: dict[str, Any]
) -> None:
    suite = suites.Suite(shift=0.02, **noise)
    # One of twenty may, by the method's own promise.
    assert len([seed for seed in SEEDS if "regressed" in suite.outcomes(seed)]) <= 1


def test_one_test_of_two_hundred_that_needs_7_percent_more_is_found(suites: Any) -> None:
    found = [suites.Suite(shift=0.02).outcomes(seed, change=0.07) for seed in SEEDS]
    assert [outcomes[0] for outcomes in found].count("regressed") >= 9
    assert all("regressed" not in outcomes[1:] for outcomes in found)


def test_3_percent_more_is_found_with_six_pairs_and_a_limit_of_2(suites: Any) -> None:
    suite = suites.Suite(base=6, head=6, limit=0.02)
    assert [suite.outcomes(seed, change=0.03)[0] for seed in SEEDS].count("regressed") >= 8


def test_where_single_runs_are_often_far_off_one_more_is_no_proof_and_three_are(suites: Any) -> None:
    assert suites.Suite(odd=0.05).outcomes(1, change=0.2)[0] == "inconclusive"
    assert suites.Suite(odd=0.05, repeats=2).outcomes(1, change=0.2)[0] == "regressed"


def test_a_change_of_every_test_beyond_the_limit_is_a_regression_of_each(suites: Any) -> None:
    assert suites.Suite(shift=0.2).outcomes(1).count("regressed") == 200


def test_tests_judged_one_by_one_as_they_end_are_judged_as_a_suite() -> None:
    random = Random(3)
    bases = [[RunMean(run, math.exp(random.gauss(0.0, 0.01)), 0.0) for run in range(3)] for _ in range(200)]
    levels = [1.02 * (1.09 if test == 150 else 1) for test in range(200)]
    running = RunningSuite(bases, tests=200)
    outcomes = []
    for level, base in zip(levels, bases, strict=True):
        head = [RunMean("head", level * math.exp(random.gauss(0.0, 0.01)), 0.0)]
        outcomes.append(outcome_of(running.judge(Case(head, base, 0.05)), 0.05))
    assert [test for test, outcome in enumerate(outcomes) if outcome == "regressed"] == [150]


def test_what_moved_together_is_told_and_each_figure_stays_what_was_measured() -> None:
    random = Random(1)
    base = [[RunMean(run, random.gauss(1.0, 0.01), 0.0) for run in range(3)] for _ in range(50)]
    cases = [Case([RunMean("head", 1.02 * runs[0].value, 0.0)], runs, 0.05) for runs in base]
    judged = judge_suite(cases)
    assert [one.shift for one in judged] == pytest.approx([1.02] * 50, abs=0.006)
    assert judged[0].value == pytest.approx(1.02 * base[0][0].value / judged[0].base)
    assert judged[0].low < judged[0].value < judged[0].high


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (Judged(1.06, 1.01, 1.11), "regressed"),
        (Judged(1.06, 1.00, 1.12), "inconclusive"),
        (Judged(1.05, 1.02, 1.08), "unchanged"),
        (Judged(1.03, 1.01, 1.10), "unchanged"),
        (Judged(1.03, 0.94, 1.11), "inconclusive"),
        (Judged(0.97, 0.89, 1.05), "inconclusive"),
        (Judged(0.97, 0.91, 1.05), "unchanged"),
        (Judged(0.94, 0.89, 0.99), "improved"),
        (Judged(0.94, 0.88, 1.00), "inconclusive"),
        (Judged(1.06, 1.01, 1.11, up=False), "inconclusive"),
        (Judged(0.94, 0.89, 0.99, down=False), "inconclusive"),
        (Judged(1.06, 1.04, 1.08, shift=1.02), "unchanged"),
        (Judged(1.06, 1.05, 1.07, shift=0.98), "regressed"),
    ],
)
def test_the_outcome_follows_from_point_interval_and_limit(ratio: Judged, outcome: str) -> None:
    assert outcome_of(ratio, 0.05) == outcome
