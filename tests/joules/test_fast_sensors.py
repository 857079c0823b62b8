"""A counter and a power sensor that refresh more often than power is read beside the counter."""

import math

import pytest
from sensors_side_by_side import LOAD, Levels, joules, mean_w

from pytest_whq.joules.counting.cross_check import differences
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power_samples import PowerSamples
from pytest_whq.joules.spans import HOPELESS, Span

ROUNDS = [Span(1.005 + 0.13 * n, 1.105 + 0.13 * n) for n in range(10)]
"""Of 0.1 s each, with pauses of 30 ms."""

LEVELS: Levels = [
    (-10.0, 70.0),
    *(each for span in ROUNDS for each in ((span.start_s, 450.0), (span.end_s, 70.0))),
]


def counter_of(levels: Levels, *, lag_s: float = 0.0) -> CounterTicks:
    """A counter that ticks each 20 ms, read each 2 ms."""
    ticks = CounterTicks()
    for number in range(1500):
        time_s = number * 0.002 + 0.001
        ticks.add(time_s, joules(levels, math.floor(time_s * 50) / 50 - lag_s))
    return ticks


def power_of(levels: Levels) -> PowerSamples:
    """A sensor that looks at 10 of each 20 ms, read each 65 ms: 37 and 102 ms after a round has begun."""
    samples = PowerSamples(0.01)
    for number in range(45):
        time_s = number * 0.065 + 0.002
        # No value is quite like the one before.
        samples.add(time_s, mean_w(levels, math.floor(time_s * 50) / 50, 0.01) + 0.01 * (number % 2))
    return samples


def test_power_that_is_seen_to_change_soon_is_not_taken_to_be_of_long_ago() -> None:
    energy_j = sum(joules(LEVELS, span.end_s) - joules(LEVELS, span.start_s) for span in ROUNDS)
    found = differences(counter_of(LEVELS), power_of(LEVELS), ROUNDS)
    assert len(found) == 2
    assert not any(one.is_contradiction(energy_j) for one in found)
    assert max(one.doubt_j(energy_j) for one in found) < 0.05 * energy_j


def test_a_counter_that_is_late_is_found_all_the_same() -> None:
    _, beginning = differences(counter_of(LOAD, lag_s=0.3), power_of(LOAD), [Span(1.03, 2.03)])
    assert beginning.energy_j == pytest.approx(-0.3 * 380.0, abs=20)
    assert beginning.doubt_j(450.0) > HOPELESS * 450.0
