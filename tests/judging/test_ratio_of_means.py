import math

import pytest

from pytest_whq.judging.ratio_of_means import Ratio, RunMean, outcome_of, ratio_of_means


def around(value: float, half: float) -> object:
    """A ratio whose interval reaches ``half`` to both sides in the logarithm."""
    return pytest.approx((value, value * math.exp(-half), value * math.exp(half)), rel=1e-3)


def told(ratio: Ratio) -> tuple[float, float, float]:
    return ratio.value, ratio.low, ratio.high


def test_single_runs_have_the_noise_of_their_rounds_and_the_run_noise() -> None:
    ratio = ratio_of_means([RunMean(1.1, 0.01)], [RunMean(1.0, 0.02)], run_noise=0.01)
    assert told(ratio) == around(1.1, 2.776 * math.sqrt(2 * 0.01**2 + 0.01**2 + 0.02**2))


def test_runs_that_agree_have_the_run_noise_all_the_same() -> None:
    ratio = ratio_of_means([RunMean(1.0, 0.0)], [RunMean(1.0, 0.0)] * 3, run_noise=0.01)
    assert told(ratio) == around(1.0, 2.447 * 0.01 * math.sqrt(1 + 1 / 3))


def test_the_spread_between_runs_is_averaged_with_the_run_noise() -> None:
    base = [RunMean(math.exp(step), 0.0) for step in (-0.05, 0.0, 0.05)]
    ratio = ratio_of_means([RunMean(2.0, 0.0)], base, run_noise=0.01)
    between = (4 * 0.01**2 + 2 * 0.05**2) / 6
    assert told(ratio) == around(2.0 / 1.000833, 2.447 * math.sqrt(between * (1 + 1 / 3)))


def test_what_rounds_explain_is_no_spread_between_runs() -> None:
    base = [RunMean(math.exp(step), 0.06) for step in (-0.05, 0.0, 0.05)]
    ratio = ratio_of_means([RunMean(1.0, 0.06)], base, run_noise=0.01)
    assert told(ratio) == around(1 / 1.000833, 2.447 * math.sqrt((0.01**2 + 0.06**2) * (1 + 1 / 3)))


def test_one_wild_round_makes_unsure_and_not_wrong() -> None:
    # One of ten rounds takes twice the energy: the mean rises by 10 %, and its error is as much.
    ratio = ratio_of_means([RunMean(1.1, 0.1 / 1.1)], [RunMean(1.0, 0.005)])
    assert outcome_of(ratio, 0.05) == "inconclusive"


def test_hopeless_figures_stay_finite() -> None:
    ratio = ratio_of_means([RunMean(1e18, 1e9)], [RunMean(1e-18, 1e9)])
    assert told(ratio) == pytest.approx((1e9, 1e9 * math.exp(-20), 1e9 * math.exp(20)))


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (Ratio(1.06, 1.01, 1.11), "regressed"),
        (Ratio(1.06, 1.00, 1.12), "inconclusive"),
        (Ratio(1.05, 1.02, 1.08), "unchanged"),
        (Ratio(1.03, 1.01, 1.10), "unchanged"),
        (Ratio(1.03, 0.94, 1.11), "inconclusive"),
        (Ratio(0.97, 0.89, 1.05), "inconclusive"),
        (Ratio(0.97, 0.91, 1.05), "unchanged"),
        (Ratio(0.94, 0.89, 0.99), "improved"),
        (Ratio(0.94, 0.88, 1.00), "inconclusive"),
    ],
)
def test_the_outcome_follows_from_point_interval_and_limit(ratio: Ratio, outcome: str) -> None:
    assert outcome_of(ratio, 0.05) == outcome
