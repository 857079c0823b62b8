"""Whether a counter and the power beside it tell the same: found where they do not, and only there."""

import pytest
from sensors_side_by_side import LOAD, counter_of, power_of

from pytest_whq.joules.counting.cross_check import Difference, differences
from pytest_whq.joules.spans import Span

WHOLE = Span(1.03, 2.03)
BURSTS = [(-10.0, 70.0)] + [
    (1.03 + 0.12 * n + d, w) for n in range(8) for d, w in ((0.0, 500.0), (0.03, 70.0))
]


@pytest.mark.parametrize("averaging_s", [0.1, 0.025], ids=["all", "part of the time"])
@pytest.mark.parametrize("levels", [LOAD, BURSTS], ids=["steady", "bursts"])
def test_sensors_that_are_right_do_not_contradict_each_other(
    levels: list[tuple[float, float]], averaging_s: float
) -> None:
    found = differences(counter_of(levels), power_of(levels, averaging_s=averaging_s), [WHOLE])
    energy_j = 4 * 70.0
    assert found
    assert not any(one.is_contradiction(energy_j) for one in found)


@pytest.mark.parametrize("averaging_s", [0.1, 0.025], ids=["all", "part of the time"])
def test_a_counter_that_is_half_a_second_late_is_found_where_the_load_begins(averaging_s: float) -> None:
    whole, beginning = differences(counter_of(lag_s=0.5), power_of(averaging_s=averaging_s), [WHOLE])
    # Of the second the counter has seen half, at 380 W less than was drawn.
    assert beginning.energy_j == pytest.approx(-190, abs=20)
    assert beginning.doubt_j(260.0) > 0.2 * 260.0
    assert whole.energy_j < 0


def test_nothing_is_compared_where_power_was_hardly_read() -> None:
    assert differences(counter_of(), power_of(until_s=0.1), [WHOLE]) == []


def test_a_difference_within_chance_puts_nothing_in_doubt_and_one_beyond_it_all() -> None:
    assert Difference(10.0, 10.0).doubt_j(100.0) == 0.0
    assert Difference(-30.0, 10.0).doubt_j(100.0) == 30.0
    assert 0.0 < Difference(15.0, 10.0).doubt_j(100.0) < 15.0


def test_a_contradiction_is_more_than_a_twentieth_and_than_chance() -> None:
    assert not Difference(4.9, 0.0).is_contradiction(100.0)
    assert Difference(-5.1, 0.0).is_contradiction(100.0)
    assert not Difference(39.0, 10.0).is_contradiction(100.0)
    assert Difference(41.0, 10.0).is_contradiction(100.0)
