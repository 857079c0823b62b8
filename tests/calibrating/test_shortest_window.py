"""The shortest window that is known well enough, by what windows of that length are given."""

import pytest
from bench import Bench

from pytest_whq.calibrating.shortest_window import Sight, shortest_window_s

COUNTER = Sight(refresh_s=0.1, cost_s=0.0)


def shortest_s(sight: Sight, precision: float, idle_w: float = 70.0, busy_w: float = 450.0) -> float:
    found = shortest_window_s(sight, idle_w, busy_w, precision)
    assert found is not None
    return found


@pytest.mark.parametrize("precision", [0.01, 0.05])
def test_windows_of_that_length_are_known_so_well_and_of_a_third_of_it_are_not(precision: float) -> None:
    seconds = shortest_s(COUNTER, precision)

    def uncertainty(of_s: float) -> float:
        windows = [Bench(phase_s=n / 120, late_s=0.0005, seed=n).measure(of_s) for n in range(12)]
        return max(2 * window.uncertainty_j / window.energy_j for window in windows)

    assert uncertainty(1.1 * seconds) < 1.2 * precision
    assert uncertainty(seconds / 3) > precision


def test_a_better_precision_takes_longer() -> None:
    assert shortest_s(COUNTER, 0.01) > 2 * shortest_s(COUNTER, 0.05)


def test_a_busier_device_takes_less() -> None:
    assert shortest_s(COUNTER, 0.01, busy_w=700.0) <= shortest_s(COUNTER, 0.01, busy_w=200.0)


def test_readings_that_cost_more_take_longer() -> None:
    assert shortest_s(COUNTER, 0.01) < shortest_s(Sight(refresh_s=0.1, cost_s=0.007), 0.01)


def test_a_board_whose_fall_is_known_takes_less() -> None:
    known = Sight(refresh_s=0.1, cost_s=0.0, settling_s=(0.0, 0.005))
    assert shortest_s(known, 0.01) < shortest_s(COUNTER, 0.01) / 2


def test_a_power_sensor_takes_as_long_as_it_looks_back_at_least() -> None:
    fast = Sight(refresh_s=0.1, cost_s=0.0, averaging_s=0.025)
    slow = Sight(refresh_s=0.1, cost_s=0.0, averaging_s=1.0)
    assert 0.125 < shortest_s(fast, 0.2) < 3
    assert 4.5 <= shortest_s(slow, 0.01) < 5.0


def test_no_window_is_long_enough_for_everything() -> None:
    assert shortest_window_s(COUNTER, 70.0, 450.0, 1e-9) is None
    assert shortest_window_s(COUNTER, 0.0, 450.0, 0.05) is None
