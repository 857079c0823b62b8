"""How uneven a load is, by its counter's ticks: the more, the further from its mean it may end."""

import math

import pytest
from sensors_side_by_side import Levels, joules

from pytest_whq.joules.counting.counter import counter_energy
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.spans import Span


def bursts(span: Span, every_s: float = 0.12) -> Levels:
    """500 W for 30 ms of each ``every_s``, 120 W between them."""
    starts_s = [span.start_s + every_s * n for n in range(math.ceil(span.duration_s / every_s))]
    changes = [(start_s + d, w) for start_s in starts_s for d, w in ((0.0, 500.0), (0.03, 120.0))]
    return [(-10.0, 70.0), *(each for each in changes if each[0] < span.end_s), (span.end_s, 70.0)]


def steady(span: Span) -> Levels:
    """As much, evenly drawn."""
    drawn_j = joules(bursts(span), span.end_s) - joules(bursts(span), span.start_s)
    return [(-10.0, 70.0), (span.start_s, drawn_j / span.duration_s), (span.end_s, 70.0)]


def ticks_of(levels: Levels, span: Span, inside_s: float) -> CounterTicks:
    """A counter that ticks each 100 ms, read each 2 ms, but each ``inside_s`` in ``span``."""
    ticks, time_s = CounterTicks(), 0.001
    while time_s < span.end_s + 0.6:
        ticks.add(time_s, joules(levels, math.floor(time_s * 10) / 10))
        is_inside = span.start_s <= time_s < span.end_s - inside_s
        time_s += inside_s if is_inside else 0.002
    return ticks


def uncertainty_j(levels: Levels, span: Span, inside_s: float) -> float:
    return counter_energy(ticks_of(levels, span, inside_s), [span]).uncertainty_j


@pytest.mark.parametrize("inside_s", [0.002, 0.045])
def test_a_load_of_bursts_may_end_far_above_its_mean_however_seldom_it_was_read(inside_s: float) -> None:
    span = Span(1.03, 2.06)
    uneven_j = uncertainty_j(bursts(span), span, inside_s)
    assert uneven_j > 1.2 * uncertainty_j(steady(span), span, inside_s)


def test_a_single_step_that_is_not_the_mean_shows_that_a_load_is_uneven() -> None:
    span = Span(1.03, 1.29)
    slow = bursts(span, every_s=0.2)
    assert uncertainty_j(slow, span, 0.002) > 1.3 * uncertainty_j(steady(span), span, 0.002)


def test_a_step_that_is_nearly_all_of_a_window_tells_nothing_of_it() -> None:
    span = Span(1.095, 1.205)
    assert uncertainty_j(bursts(span), span, 0.002) < 1.05 * uncertainty_j(steady(span), span, 0.002)


def test_power_that_still_rises_in_its_first_step_makes_no_load_uneven() -> None:
    span = Span(1.03, 2.06)
    rising = [(-10.0, 70.0), (span.start_s, 150.0), (span.start_s + 0.17, 450.0), (span.end_s, 70.0)]
    level = [(-10.0, 70.0), (span.start_s, 450.0), (span.end_s, 70.0)]
    assert uncertainty_j(rising, span, 0.002) <= uncertainty_j(level, span, 0.002)
