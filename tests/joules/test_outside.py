"""The levels before and after a window, by the counter or, where that is slow, by the power sensor."""

from itertools import pairwise

import pytest
from sensors_side_by_side import LOAD, counter_of, joules, power_of

from pytest_whq.joules.counting.falling import power_between
from pytest_whq.joules.counting.outside import level_before, ticks_after
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power_samples import PowerSamples

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
    start, end = ticks_after(slow_counter(), 5, 2.03, regular(power_of(STAGES, until_s=4.0)))
    # 0.1 s of the 120 W of the first stage, and then 70 W, as far as the nearest tick.
    assert 70.0 <= power_between(start, end) <= 120.0
    assert start.rounded_j == end.rounded_j > 0.0


def test_after_a_counter_its_own_ticks_tell_the_level() -> None:
    found = ticks_after(counter_of(LOAD), 21, 2.03, None)
    assert [power_between(*pair) for pair in pairwise(found)] == pytest.approx([70.0] * (len(found) - 1))
    assert found[0].time_s == pytest.approx(0.07)
    assert found[-1].time_s == pytest.approx(0.37)


def test_where_the_counter_does_not_go_on_nothing_is_told() -> None:
    assert ticks_after(counter_of(until_s=2.1), 21, 2.03, None) == []


def regular(samples: PowerSamples) -> PowerSamples:
    """The same, with its period known."""
    samples.refresh.period_s = 0.1
    return samples
