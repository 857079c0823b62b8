"""Joules from a counter's ticks, with ticks at known moments: pure, so the figures are exact."""

import math
from collections.abc import Sequence

import pytest

from pytest_whq.joules.counting.counter import counter_energy
from pytest_whq.joules.counting.seen_falls import Settling
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError

Levels = Sequence[tuple[float, float]]
"""Moments, and the watts drawn from each on."""


def joules(levels: Levels, end_s: float) -> float:
    """Joules drawn from the first of ``levels`` until ``end_s``."""
    stops = [*(start_s for start_s, _ in levels[1:]), math.inf]
    return sum(w * max(0.0, min(end_s, stop) - start) for (start, w), stop in zip(levels, stops, strict=True))


def ticks_of(
    levels: Levels,
    *,
    until_s: float = 2.5,
    period_s: float = 0.1,
    before_s: float = 1e-9,
    after_s: float = 0.0,
    reset_s: float = math.inf,
) -> CounterTicks:
    """A counter's ticks at the multiples of ``period_s``, each seen by a reading before and one after it."""
    ticks, shown_j = CounterTicks(), -100.0
    for number in range(round(until_s / period_s) + 1):
        tick_s = number * period_s
        ticks.add(tick_s - before_s, shown_j)
        shown_j = joules(levels, tick_s) - (joules(levels, reset_s) if tick_s >= reset_s else 0.0)
        ticks.add(tick_s + after_s, shown_j)
    return ticks


def call(
    start_s: float, end_s: float, *, before_w: float = 70, during_w: float = 450, after_w: float = 70
) -> Levels:
    return [(-10.0, before_w), (start_s, during_w), (end_s, after_w)]


def energy(levels: Levels, *spans: tuple[float, float]) -> SpanEnergies:
    return counter_energy(ticks_of(levels), [Span(*span) for span in spans], settling=falls_at_once())


def falls_at_once() -> Settling:
    """What is known of a board whose power has fallen at once after loads that ended right before a tick."""
    settling = Settling()
    for end_s in (1.398, 1.498):
        counter_energy(ticks_of(call(1.03, end_s)), [Span(1.03, end_s)], settling=settling)
    return settling


def exactly(*figures: float) -> object:
    return pytest.approx(figures, rel=1e-6)


@pytest.mark.parametrize(
    ("start_s", "end_s"),
    [
        pytest.param(1.03, 1.58, id="longer than a tick"),
        pytest.param(1.03, 1.05, id="shorter than a tick"),
        pytest.param(1.08, 1.12, id="shorter, with a tick in it"),
        pytest.param(1.03, 1.13, id="as long as a tick"),
        pytest.param(1.00, 1.20, id="from tick to tick"),
    ],
)
def test_a_window_gets_all_that_was_drawn_beyond_the_level_outside(start_s: float, end_s: float) -> None:
    found = energy(call(start_s, end_s), (start_s, end_s))
    assert found.energies_j == exactly(450 * (end_s - start_s))
    assert found.method == "counter"
    assert found.idle_w == pytest.approx(70)


def test_the_levels_before_and_after_may_differ() -> None:
    found = energy(call(1.03, 1.05, before_w=70, after_w=130), (1.03, 1.05))
    assert found.energies_j == exactly(450 * 0.02)
    # Right after a load a board does not rest yet.
    assert found.idle_w == pytest.approx(70)


def test_what_happens_inside_a_window_need_not_be_steady() -> None:
    levels = [(-10.0, 70.0), (1.03, 300.0), (1.23, 0.0), (1.31, 600.0), (1.38, 70.0)]
    assert energy(levels, (1.03, 1.38)).energies_j == exactly(300 * 0.2 + 600 * 0.07)


def test_windows_in_one_tick_interval_share_what_was_drawn_beyond_the_level_outside() -> None:
    levels = [*call(1.02, 1.04), *call(1.06, 1.08)[1:]]
    assert energy(levels, (1.02, 1.04), (1.06, 1.08)).energies_j == exactly(9, 9)
    uneven = [*call(1.02, 1.03, during_w=250), *call(1.06, 1.08, during_w=550)[1:]]
    assert energy(uneven, (1.02, 1.03), (1.06, 1.08)).energies_j == exactly(13.5 / 3, 13.5 / 3 * 2)


def test_the_gaps_between_rounds_are_taken_out_at_the_level_outside() -> None:
    levels = [*call(0.53, 1.02), *call(1.04, 1.37)[1:], *call(1.62, 2.05)[1:]]
    found = energy(levels, (0.53, 1.02), (1.04, 1.37), (1.62, 2.05))
    gaps_j = 70 * (0.02 + 0.25)
    assert found.energy_j == pytest.approx(450 * (0.49 + 0.33 + 0.43))
    assert found.energy_j + gaps_j == pytest.approx(joules(levels, 2.05) - joules(levels, 0.53))


def test_each_round_keeps_its_own_energy_where_ticks_fall_between_them() -> None:
    levels = [*call(0.53, 1.02, during_w=300), *call(1.24, 1.73, during_w=500)[1:]]
    assert energy(levels, (0.53, 1.02), (1.24, 1.73)).energies_j == exactly(300 * 0.49, 500 * 0.49)


def test_an_unsteady_level_before_the_window_is_interpolated_and_widens_the_uncertainty() -> None:
    steady = energy(call(1.03, 1.33), (1.03, 1.33))
    levels = [(-10.0, 70.0), (0.9, 200.0), (1.03, 450.0), (1.33, 70.0)]
    found = energy(levels, (1.03, 1.33))
    # The interval of the edge drew 375 W on average, 0.07 s of it inside; 200 W or more outside.
    assert found.energies_j == exactly(375 * 0.07 + 450 * 0.23)
    assert steady.uncertainty_j < 0.07
    assert found.uncertainty_j == pytest.approx((375 - 200) * 0.03 / math.sqrt(3), rel=1e-3)
    assert abs(found.energy_j - 450 * 0.3) < 2 * found.uncertainty_j


def test_an_unsteady_level_after_the_window_is_interpolated_too() -> None:
    levels = [(-10.0, 70.0), (1.03, 450.0), (1.33, 200.0), (1.5, 70.0)]
    found = energy(levels, (1.03, 1.33))
    assert found.energies_j == exactly(450 * 0.27 + 275 * 0.03)
    # What the step after that drew beyond the level at last may be the window's, come late.
    assert found.uncertainty_j == pytest.approx(math.hypot((275 - 70) * 0.07 / math.sqrt(3), 13), rel=0.1)
    assert abs(found.energy_j - 450 * 0.3) < 2 * found.uncertainty_j


def test_a_level_without_another_one_further_out_may_be_off_by_three_percent() -> None:
    levels = call(0.13, 2.37)
    found = energy(levels, (0.13, 2.37))
    assert found.energy_j == pytest.approx(450 * 2.24)
    assert found.uncertainty_j == pytest.approx(0.03 * 70 * 0.03 * math.sqrt(2), rel=0.2)


def test_the_blur_of_ticks_is_in_the_uncertainty() -> None:
    levels = call(1.05, 1.35)
    ticks = ticks_of(levels, before_s=0.003, after_s=0.003)
    found = counter_energy(ticks, [Span(1.05, 1.35)], settling=falls_at_once())
    # A third of 6 ms at 70 W: once for where the outer stretch begins, and for the level of that stretch.
    edge_j = 70 * 0.002 * math.hypot(1.5, 0.5)
    assert edge_j * math.sqrt(2) < found.uncertainty_j < 3 * edge_j


def test_a_tick_that_may_lie_on_either_side_of_an_edge_is_left_out() -> None:
    # The tick at 1 s is seen between readings at 0.997 s and 1.005 s, so it seems to lie inside, at 1.001 s.
    ticks = ticks_of(call(1.0, 1.25), before_s=0.003, after_s=0.005)
    found = counter_energy(ticks, [Span(1.0, 1.25)])
    assert found.energy_j == pytest.approx(450 * 0.25 - 70 * 0.001 + 70 * 0.001)


def test_a_window_draws_no_less_than_nothing() -> None:
    # The level fell between the last tick and the window, which nothing tells.
    levels = [(-10.0, 450.0), (1.01, 0.0), (1.05, 100.0)]
    assert energy(levels, (1.03, 1.05)).energies_j == (0.0,)


def test_the_first_reading_is_no_tick() -> None:
    ticks = CounterTicks()
    ticks.add(0.0, 500.0)
    assert (len(ticks), ticks.last_energy_j, ticks.period_s) == (0, 500.0, None)


@pytest.mark.parametrize("period_s", [0.02, 0.1, 0.5])
def test_the_period_is_learned(period_s: float) -> None:
    ticks = ticks_of(call(1.0, 2.0), period_s=period_s, before_s=0.002)
    assert ticks.period_s == pytest.approx(period_s, rel=1e-3)


def test_a_counter_that_moves_at_every_reading_has_no_period() -> None:
    ticks = CounterTicks()
    for number in range(50):
        ticks.add(number * 0.004, number * 0.28)
    assert ticks.period_s is None


def test_of_several_ticks_between_slow_readings_the_latest_was_at_most_a_period_ago() -> None:
    levels = call(1.03, 1.93)
    ticks = ticks_of(levels, until_s=1.0, before_s=0.004)
    ticks.add(1.5, joules(levels, 1.5))
    assert ticks.times_s[-1] == pytest.approx(1.45, abs=0.0021)
    assert ticks.blur_s(len(ticks) - 1) == pytest.approx(0.104 / 3)


def test_slow_readings_inside_a_window_cost_no_precision() -> None:
    levels = call(0.53, 1.93)
    whole, sparse = ticks_of(levels), CounterTicks()
    for tick_s, energy_j in zip(whole.times_s, whole.energies_j, strict=True):
        if not 0.6 < tick_s < 1.9:
            sparse.add(tick_s - 1e-9, sparse.last_energy_j or 0.0)
            sparse.add(tick_s, energy_j)
    assert counter_energy(sparse, [Span(0.53, 1.93)]).energies_j == exactly(450 * 1.4)


@pytest.mark.parametrize(("until_s", "since_s", "side"), [(1.2, -1.0, "after"), (2.5, 1.15, "before")])
def test_a_counter_that_stands_still_on_one_side_is_stuck(until_s: float, since_s: float, side: str) -> None:
    levels = call(1.03, 1.3)
    ticks = CounterTicks()
    for number in range(26):
        shown_s = min(max(number * 0.1, since_s), until_s)
        ticks.add(number * 0.1, joules(levels, shown_s))
    with pytest.raises(UnmeasurableError) as caught:
        counter_energy(ticks, [Span(1.03, 1.3)])
    assert caught.value.reason.code == "counter_stuck"
    assert caught.value.reason.sentence == (
        f"the energy counter did not move {side} the window, while readings went on"
    )


def test_a_counter_that_falls_in_a_window_was_reset() -> None:
    ticks = ticks_of(call(1.03, 1.3), reset_s=1.15)
    with pytest.raises(UnmeasurableError) as caught:
        counter_energy(ticks, [Span(1.03, 1.3)])
    assert caught.value.reason.code == "counter_reset"
    assert caught.value.reason.sentence == "the energy counter fell while the window was open"


def test_a_counter_that_falls_well_before_a_window_does_not_matter() -> None:
    ticks = ticks_of(call(1.03, 1.3), reset_s=0.35)
    assert counter_energy(ticks, [Span(1.03, 1.3)]).energies_j == exactly(450 * 0.27)


def test_a_counter_that_falls_where_the_level_is_taken_was_reset_too() -> None:
    ticks = ticks_of(call(1.03, 1.3), reset_s=1.45)
    with pytest.raises(UnmeasurableError) as caught:
        counter_energy(ticks, [Span(1.03, 1.3)])
    assert caught.value.reason.code == "counter_reset"
    assert caught.value.reason.sentence == "the energy counter fell right before or after the window"


def test_a_window_of_no_length_draws_nothing() -> None:
    assert energy(call(1.03, 1.3), (0.55, 0.55)).energies_j == (0.0,)


def test_without_a_level_outside_the_edges_are_interpolated_in_great_doubt() -> None:
    ticks = ticks_of([(-10.0, 450.0)], until_s=0.1)
    found = counter_energy(ticks, [Span(0.03, 0.07)])
    assert found.energies_j == exactly(450 * 0.04)
    assert found.idle_w is None
    assert found.uncertainty_j == pytest.approx(450 * 0.03 * math.sqrt(2 / 3), rel=0.01)


def test_two_ticks_that_are_far_enough_apart_tell_a_level() -> None:
    seen = []
    for number in range(1, 8):
        seen.append(ticks_of(call(9, 10), until_s=number * 0.03, period_s=0.03).settled_after(0.04))
    # The first tick after 0.04 s is at 0.06 s, and the first that is 80 ms later at 0.15 s.
    assert seen == [False, False, False, False, True, True, True]


def test_a_tick_that_may_have_been_before_an_edge_does_not_tell_the_level_after_it() -> None:
    ticks = CounterTicks()
    for reading_s, shown_s in ((0.95, 0.9), (1.05, 1.0), (1.149, 1.0), (1.151, 1.1), (1.249, 1.1)):
        ticks.add(reading_s, 70 * shown_s)
    assert not ticks.settled_after(0.99)
    ticks.add(1.251, 70 * 1.2)
    assert ticks.settled_after(0.99)


@pytest.mark.parametrize(
    ("further_out", "edge_w"),
    [
        pytest.param(1.24, 450.0, id="steady"),
        pytest.param(0.76, 450.0, id="steady, though it rose"),
        pytest.param(1.26, 336.0, id="unsteady"),
        pytest.param(0.74, 336.0, id="unsteady, since it rose"),
    ],
)
def test_a_level_is_steady_up_to_a_quarter_from_the_one_further_out(
    further_out: float, edge_w: float
) -> None:
    levels = [(-10.0, 70 * further_out), (0.9, 70.0), (1.03, 450.0), (1.33, 70.0)]
    # An unsteady edge is interpolated: its interval drew 70 W for 0.03 s and 450 W for 0.07 s.
    assert energy(levels, (1.03, 1.33)).energies_j == exactly(edge_w * 0.07 + 450 * 0.23)


@pytest.mark.parametrize("between_w", [70.0, 450.0])
def test_a_pause_too_short_to_show_rest_may_have_been_busy(between_w: float) -> None:
    levels = [(-10.0, 70.0), (1.03, 450.0), (1.5, between_w), (1.51, 450.0), (2.04, 70.0)]
    found = energy(levels, (1.03, 1.5), (1.51, 2.04))
    assert abs(found.energy_j - 450.0) <= 2 * found.uncertainty_j < 0.01 * 450.0


def test_a_pause_long_enough_to_show_rest_is_no_less_sure_for_that() -> None:
    levels = [(-10.0, 70.0), (1.03, 450.0), (1.5, 70.0), (1.55, 450.0), (2.04, 70.0)]
    assert energy(levels, (1.03, 1.5), (1.55, 2.04)).uncertainty_j < 0.5
