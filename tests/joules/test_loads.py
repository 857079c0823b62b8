"""From what height power falls after each of several loads: by what a lagging board has drawn, exact."""

from collections.abc import Sequence

import pytest
from drawn_power import DrawnPower

from pytest_whq.joules.counting.loads import Load, ends_w

LEVEL_W, BUSY_S = 70.0, 0.1


def drawn(watts: Sequence[float], pause_s: float, settling_s: float) -> tuple[DrawnPower, list[float]]:
    """A board that follows loads of ``watts`` with that time constant, and when they end."""
    power = DrawnPower(0.0, LEVEL_W, rise_s=settling_s, fall_s=settling_s, noise=0.0, seed=0)
    ends_s = [1.0 + BUSY_S + n * (BUSY_S + pause_s) for n in range(len(watts))]
    for end_s, each_w in zip(ends_s, watts, strict=True):
        power.change(end_s - BUSY_S, each_w)
        power.change(end_s, LEVEL_W)
    return power, ends_s


def excess_j(power: DrawnPower, start_s: float, end_s: float) -> float:
    return power.energy_j(end_s) - power.energy_j(start_s) - LEVEL_W * (end_s - start_s)


def height_w(power: DrawnPower, time_s: float) -> float:
    """Watts above the level right before that time."""
    return excess_j(power, time_s - 1e-6, time_s) / 1e-6


@pytest.mark.parametrize("settling_s", [0.0, 0.01, 0.06])
def test_loads_that_begin_in_the_tail_of_another_are_told_by_what_was_left_of_it(settling_s: float) -> None:
    """With no tick in the pauses."""
    power, ends_s = drawn([450.0, 200.0, 600.0], 0.05, settling_s)
    loads = [
        Load(BUSY_S, excess_j(power, end_s - BUSY_S, end_s + 0.05), 0.05, 0.05, 0.05) for end_s in ends_s[:-1]
    ]
    loads.append(Load(BUSY_S, excess_j(power, ends_s[-1] - BUSY_S, ends_s[-1] + 0.02), 0.02))
    assert ends_w(loads, settling_s) == pytest.approx([height_w(power, end_s) for end_s in ends_s], rel=0.001)


def test_what_ticks_in_a_pause_tell_is_no_loads_own() -> None:
    power, ends_s = drawn([450.0, 300.0], 0.07, 0.03)
    first, last = ends_s
    loads = [
        Load(BUSY_S, excess_j(power, first - BUSY_S, first + 0.01), 0.01, 0.05, 0.07),
        Load(BUSY_S, excess_j(power, first + 0.05, last + 0.02), 0.02),
    ]
    assert ends_w(loads, 0.03) == pytest.approx([height_w(power, end_s) for end_s in ends_s], rel=0.001)
    seen_j = excess_j(power, first + 0.01, first + 0.05)
    assert loads[0].unseen(0.03) * height_w(power, first) * 0.03 == pytest.approx(
        excess_j(power, first, first + 0.07) - seen_j, rel=0.001
    )


def test_a_load_of_no_length_ends_where_it_began() -> None:
    assert ends_w([Load(0.0, 0.0, 0.01)], 0.03) == (0.0,)
