import pytest

from pytest_whq.joules.curve import MAX_STEPS, join_curves, power_curve
from pytest_whq.joules.spans import Span
from pytest_whq.joules.trace import Trace
from pytest_whq.model import PowerCurve, Reading
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window


def traced(*readings: tuple[float, float | None, float | None]) -> Trace:
    trace = Trace()
    for time_s, energy_j, power_w in readings:
        trace.add(Reading("GPU-1", time_s, energy_j, power_w))
    return trace


def counted(watts: float, seconds: int) -> Trace:
    return traced(*((t / 100, watts * t / 100, None) for t in range(seconds * 100 + 1)))


def known(curve: PowerCurve | None) -> list[float]:
    assert curve is not None
    return [watts for watts in curve.power_w if watts is not None]


def test_a_counter_draws_the_watts_between_its_ticks() -> None:
    curve = power_curve([counted(100.0, 3)], [Span(1.0, 2.0)], 0.0, 3.0)
    assert curve is not None
    assert curve.windows_s == ((1.0, 2.0),)
    assert curve.start_s == 0.0
    assert curve.end_s == pytest.approx(3.0)
    assert set(known(curve)) == {100.0}


def test_devices_are_added_up_where_all_of_them_are_known() -> None:
    curve = power_curve([counted(100.0, 3), counted(50.0, 2)], [Span(1.0, 2.0)], 0.0, 3.0)
    assert curve is not None
    assert set(known(curve)) == {150.0}
    assert curve.power_w[-1] is None


def test_power_readings_are_drawn_where_there_is_no_counter_and_gaps_are_left_open() -> None:
    readings = [(t / 10, None, 200.0 + t) for t in range(20)] + [(t / 10, None, 300.0) for t in range(50, 70)]
    curve = power_curve([traced(*readings)], [], 0.0, 7.0)
    assert curve is not None
    assert curve.power_w[len(curve.power_w) // 2] is None
    assert known(curve)[0] == pytest.approx(200, abs=1)
    assert known(curve)[-1] == 300


def test_a_counter_that_falls_leaves_a_gap_and_nothing_below_zero() -> None:
    curve = power_curve([traced((0, 900, None), (1, 1000, None), (2, 5, None), (3, 105, None))], [], 0.0, 3.0)
    assert set(known(curve)) == {100.0}


@pytest.mark.once
def test_a_curve_stays_bounded_however_long_the_window_was() -> None:
    readings = [(t / 10, None, 100.0 + t % 7) for t in range(100_000)]
    curve = power_curve([traced(*readings)], [Span(0.0, 9999.0)], 0.0, 10_000.0)
    assert curve is not None
    assert len(curve.power_w) == MAX_STEPS
    assert known(curve)[10] == 103


def test_without_readings_there_is_no_curve() -> None:
    assert power_curve([Trace()], [], 0.0, 1.0) is None
    assert power_curve([], [], 0.0, 1.0) is None
    assert power_curve([counted(1.0, 1)], [], 1.0, 1.0) is None
    assert join_curves([]) is None


def test_curves_of_one_test_are_joined_with_what_lay_between_them_left_open() -> None:
    one = PowerCurve(10.0, 0.1, (100.0,) * 10, ((10.2, 10.8),))
    other = PowerCurve(14.0, 0.1, (200.0,) * 10, ((14.2, 14.8),))
    curve = join_curves([one, other])
    assert curve is not None
    assert curve.start_s == 10.0
    assert curve.end_s == pytest.approx(15.0)
    assert curve.windows_s == ((10.2, 10.8), (14.2, 14.8))
    assert (curve.power_w[0], curve.power_w[100], curve.power_w[-1]) == (100.0, None, 200.0)
    assert len(curve.power_w) == MAX_STEPS


def test_a_window_keeps_the_power_around_and_inside_it() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, watts=70.0)
    curve = measured_window(source, clock, lambda: source.call(2.0, 400.0)).power
    assert curve is not None
    ((start_s, end_s),) = curve.windows_s
    assert curve.start_s < start_s < end_s < curve.end_s
    assert end_s - start_s == pytest.approx(2.0)
    assert (known(curve)[0], max(known(curve)), known(curve)[-1]) == (70.0, 400.0, 70.0)
