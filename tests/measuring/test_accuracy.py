"""How near to the truth windows come, and how well they know it, over random phases in virtual time."""

import math
from collections.abc import Iterator
from random import Random
from statistics import median
from typing import Any

import pytest
from bench import Bench, Window

pytestmark = pytest.mark.once


def windows(count: int, seconds: float, *, period_s: float = 0.1, **how: Any) -> Iterator[Window]:
    """Windows of about ``seconds``, each of one call of 450 W, 70 W outside, at random phases."""
    for seed in range(count):
        random = Random(seed)
        bench = Bench(late_s=0.001, seed=seed, period_s=period_s, phase_s=random.uniform(0, period_s), **how)
        bench.idle(random.uniform(0, 1))
        yield bench.measure(seconds + random.uniform(0, 0.004))


def rms(found: Iterator[Window]) -> float:
    errors = [window.error for window in found]
    return math.sqrt(sum(error**2 for error in errors) / len(errors))


@pytest.mark.parametrize(
    ("seconds", "limit"), [(0.05, 0.01), (0.1, 0.005), (0.3, 0.005), (1.0, 0.005), (3.0, 0.005)]
)
def test_a_window_on_a_counter_of_100_ms_is_as_exact_as_promised(seconds: float, limit: float) -> None:
    assert rms(windows(40, seconds)) < limit


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"noise": 0.02}, id="noise of 2 %"),
        pytest.param({"period_s": 0.02}, id="a counter of 20 ms"),
        pytest.param({"cost_s": 0.002}, id="readings of 2 ms"),
        pytest.param({"noise": 0.02, "period_s": 0.02, "cost_s": 0.002}, id="all of them"),
    ],
)
def test_a_window_of_50_ms_withstands(how: dict[str, float]) -> None:
    assert rms(windows(40, 0.05, **how)) < 0.015


@pytest.mark.parametrize("cost_s", [0.0, 0.002, 0.007])
@pytest.mark.parametrize("period_s", [0.02, 0.1, 0.5])
def test_the_truth_lies_within_two_uncertainties_in_95_of_100_windows(period_s: float, cost_s: float) -> None:
    lengths = Random(7)
    within = []
    for seed in range(100):
        seconds = math.exp(lengths.uniform(math.log(0.05), math.log(3.0)))
        how = {"period_s": period_s, "cost_s": cost_s, "noise": 0.02 * (seed % 2)}
        bench = Bench(late_s=0.001, seed=seed, phase_s=lengths.uniform(0, period_s), **how)
        bench.idle(lengths.uniform(0, 1))
        window = bench.measure(seconds)
        within.append(abs(window.energy_j - window.true_j) <= 2 * window.uncertainty_j)
    assert sum(within) >= 95


@pytest.mark.parametrize(("period_s", "cost_s"), [(0.02, 0.0), (0.1, 0.0), (0.1, 0.002), (0.5, 0.0)])
def test_the_truth_of_several_rounds_lies_within_two_uncertainties_too(
    period_s: float, cost_s: float
) -> None:
    within = []
    for seed in range(40):
        random = Random(seed)
        phase_s = random.uniform(0, period_s)
        bench = Bench(
            late_s=0.001,
            seed=seed,
            period_s=period_s,
            phase_s=phase_s,
            cost_s=cost_s,
            noise=0.02 * (seed % 2),
        )
        window = bench.open()
        for _ in range(5):
            bench.call(random.uniform(0.2, 0.5))
            window.meter.end()
            bench.idle(random.uniform(0, 0.1))
            window.meter.begin()
        bench.call(0.3)
        window.close()
        within.append(abs(window.energy_j - window.true_j) <= 2 * window.uncertainty_j)
    assert sum(within) >= 0.95 * 40


def test_the_uncertainty_is_not_simply_large() -> None:
    bench = Bench(late_s=0.001, phase_s=0.037)
    found = [bench.measure(1.0 + 0.013 * number) for number in range(40)]
    shares = [window.uncertainty_j / window.energy_j for window in found]
    assert max(shares) < 0.03
    # By then some window has ended right before a tick, and has shown how fast power falls.
    assert median(shares[8:]) < 0.003


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.0])
def test_the_net_energy_is_what_was_drawn_beyond_the_level_outside(seconds: float) -> None:
    for window in windows(10, seconds):
        (span,) = window.meter.spans
        assert window.measurement.net_energy_j == pytest.approx(380 * span.duration_s, rel=0.02)


def test_windows_one_right_after_the_other_are_each_as_exact() -> None:
    bench = Bench(late_s=0.001, phase_s=0.037)
    errors = [bench.measure(0.05).error for _ in range(20)]
    assert max(map(abs, errors)) < 0.02


def test_a_window_that_opens_as_soon_as_the_source_is_made_is_exact() -> None:
    assert abs(Bench(phase_s=0.0123).measure(0.2).error) < 0.01


def test_a_call_in_the_level_of_another_gets_only_its_own_share() -> None:
    bench = Bench(phase_s=0.0123)
    bench.source.set_watts(300.0)
    window = bench.measure(0.05, 500.0)
    assert window.energy_j == pytest.approx(25.0, rel=0.05)
    assert window.measurement.net_energy_j == pytest.approx(200 * 0.05, rel=0.1)
