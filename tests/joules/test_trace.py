"""Counter and power sensor of one device, side by side: pure, so the figures are exact."""

import math

import pytest

from pytest_whq.joules.spans import Span, UnmeasurableError
from pytest_whq.joules.trace import Trace
from pytest_whq.model import Reading

WATTS = 450.0


def steady_trace(*, period_s: float, shown_w: float) -> Trace:
    """Five seconds of 450 W: a counter that ticks each ``period_s``, power that shows only ``shown_w``."""
    trace = Trace(power_averaging_s=0.1)
    for number in range(1250):
        time_s = number * 0.004
        ticked_s = math.floor(time_s / period_s) * period_s
        trace.add(Reading("GPU-0", time_s, WATTS * ticked_s, shown_w))
    return trace


def test_power_that_never_changed_is_a_witness_against_a_counter_that_ticks_about_as_often() -> None:
    with pytest.raises(UnmeasurableError) as caught:
        steady_trace(period_s=0.145, shown_w=405.0).energies([Span(1.0, 4.0)])
    assert caught.value.reason.code == "sensors_disagree"


def test_power_that_never_changed_is_none_against_a_counter_that_ticks_more_seldom() -> None:
    # Then the power sensor may refresh as seldom, which nothing tells.
    found = steady_trace(period_s=0.155, shown_w=405.0).energies([Span(1.0, 4.0)])
    assert found.energy_j == pytest.approx(WATTS * 3.0, rel=0.001)
