"""The levels before and after a window, by the counter or, where that is slow, by the power sensor."""

import math

import pytest
from sensors_side_by_side import LOAD, counter_of, joules, power_of

from pytest_whq.joules.counting.outside import level_before, steps_after
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power import PowerSamples

STAGES = [(-10.0, 120.0), (0.7, 70.0), (1.03, 450.0), (2.03, 120.0), (2.33, 70.0)]
"""A board that has stepped down shortly before the load, and does so again after it."""


def slow_counter() -> CounterTicks:
    """Of `STAGES`, each half second."""
    ticks = CounterTicks()
    for number in range(8):
        ticks.add(number / 2 - 0.001, joules(STAGES, (number - 1) / 2))
        ticks.add(number / 2 + 0.001, joules(STAGES, number / 2))
    return ticks


def test_the_level_before_is_that_between_ticks() -> None:
    found = level_before(counter_of(), 10, 1.03, None)
    assert found is not None
    assert found.power_w == pytest.approx(70.0)
    assert found.steady


def test_a_level_that_changed_by_more_than_a_quarter_is_not_steady() -> None:
    found = level_before(counter_of([(-10.0, 120.0), (0.9, 70.0), (1.03, 450.0)]), 10, 1.03, None)
    assert found is not None
    assert not found.steady


def test_before_a_slow_counter_power_tells_the_level() -> None:
    found = level_before(slow_counter(), 2, 1.03, regular(power_of(STAGES)))
    assert found is not None
    assert found.power_w == pytest.approx(70.0, rel=0.2)
    assert found.far_error_j == 0.0


def test_after_a_slow_counter_power_tells_the_level_in_one_step() -> None:
    (step,) = steps_after(slow_counter(), 5, 2.03, regular(power_of(STAGES, until_s=4.0)))
    # 0.1 s of the 120 W of the first stage, and then 70 W, as far as the nearest tick.
    assert 70.0 <= step.power_w <= 120.0
    assert step.error_j > 0.0


def test_the_steps_after_are_those_between_ticks() -> None:
    steps = steps_after(counter_of(LOAD), 21, 2.03, None)
    assert [step.power_w for step in steps] == pytest.approx([70.0] * len(steps))
    assert steps[0].start_s == pytest.approx(0.07)
    assert math.isclose(steps[-1].end_s, 0.37)


def test_where_the_counter_does_not_go_on_nothing_is_told() -> None:
    assert steps_after(counter_of(until_s=2.1), 21, 2.03, None) == []


def regular(samples: PowerSamples) -> PowerSamples:
    """The same, with its period known."""
    samples.refresh.period_s = 0.1
    return samples
