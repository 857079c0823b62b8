"""The figures of merit of benchmarks/detection.py, with few trials and a fixed seed."""

from types import ModuleType

import pytest
from benchmark_modules import benchmark

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def detection() -> ModuleType:
    """The benchmark as a module."""
    return benchmark("detection")


@pytest.mark.parametrize("noise", ["plain", "all of these"])
@pytest.mark.parametrize("base_runs", [1, 3, 10])
def test_the_same_code_regresses_in_at_most_one_of_a_hundred_tests(
    detection: ModuleType, noise: str, base_runs: int
) -> None:
    outcomes = detection.detect(detection.NOISES[noise], base_runs, 1, change=0.0, trials=300, seed=2)
    assert outcomes["regressed"] <= 3


@pytest.mark.parametrize(("change", "found"), [(0.10, 0.95), (0.07, 0.80)])
@pytest.mark.parametrize("noise", ["plain", "disturbed rounds", "warming up", "all of these"])
def test_a_true_regression_is_found_with_three_runs_a_side(
    detection: ModuleType, noise: str, change: float, found: float
) -> None:
    outcomes = detection.detect(detection.NOISES[noise], 3, 3, change=change, trials=150, seed=1)
    assert outcomes["regressed"] >= found * 150
