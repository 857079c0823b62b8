"""Polled power is integrated exactly between its readings, and not where there are none."""

import pytest

from pytest_whq.joules.polled_power import Polling, polled_energy, polling_of
from pytest_whq.joules.spans import Span, UnmeasurableError

SECOND = Polling(1.0, 1.0)


def test_both_edges_are_interpolated() -> None:
    # 100 W rising by 100 W each second: from 0.5 s (150 W) to 2.5 s (350 W) the mean is 250 W.
    found = polled_energy([0.0, 1.0, 2.0, 3.0], [100.0, 200.0, 300.0, 400.0], Span(0.5, 2.5), SECOND)
    assert found.energy_j == pytest.approx(500.0)


def test_the_log_s_ends_are_held_as_far_as_a_gap_may_be() -> None:
    found = polled_energy([0.0, 1.0, 2.0], [100.0, 100.0, 100.0], Span(-2.0, 4.0), SECOND)
    assert found.energy_j == pytest.approx(600.0)
    with pytest.raises(UnmeasurableError, match="the log does not cover the window"):
        polled_energy([0.0, 1.0, 2.0], [100.0, 100.0, 100.0], Span(-4.0, 2.0), SECOND)


def test_a_gap_in_the_window_is_not_filled_in() -> None:
    with pytest.raises(
        UnmeasurableError, match=r"no power for 8\.0 s in the window; at most 3\.0 s is filled in"
    ):
        polled_energy([0.0, 1.0, 9.0, 10.0], [100.0] * 4, Span(0.0, 10.0), SECOND)
    # Outside of it nobody needs it.
    assert polled_energy([0.0, 1.0, 9.0, 10.0], [100.0] * 4, Span(0.0, 1.0), SECOND).energy_j == 100.0


def test_where_polls_are_far_apart_as_much_more_may_be_missing() -> None:
    assert polled_energy([0.0, 5.0, 15.0], [100.0] * 3, Span(0.0, 15.0), Polling(5.0, 5.0)).energy_j == 1500.0


def test_a_slow_refresh_makes_a_figure_less_sure() -> None:
    times_s = [n * 0.05 for n in range(400)]
    powers_w = [200.0 + 50 * ((n // 10) % 3) for n in range(400)]
    polling = polling_of(times_s, powers_w)
    assert polling.step_s == pytest.approx(0.05)
    assert polling.refresh_s == pytest.approx(0.5, rel=1e-3)
    span = Span(1.0, 19.0)
    slow = polled_energy(times_s, powers_w, span, polling).uncertainty_j
    assert slow > 2.5 * polled_energy(times_s, powers_w, span, Polling(0.05, 0.05)).uncertainty_j


def test_a_refresh_faster_than_the_polls_is_taken_for_theirs() -> None:
    times_s = [float(n) for n in range(60)]
    assert polling_of(times_s, [200.0 + n % 7 for n in range(60)]) == SECOND
    assert polling_of(times_s, [200.0] * 60) == SECOND
