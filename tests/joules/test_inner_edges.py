"""A load's window between its ramp-up and its tail: edges on both sides of which power is drawn."""

import math

import pytest
from test_counter import Levels, exactly, falls_at_once, joules, ticks_of

from pytest_whq.joules.counting.counter import counter_energy
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.spans import Span, SpanEnergies

START_S, BEGINS_S, ENDS_S, STOP_S = 1.03, 1.36, 3.37, 3.71
"""Of the ramp-up, the window and the tail."""


def load(ramp_up_w: float, tail_w: float) -> Levels:
    return [(-10.0, 70.0), (START_S, ramp_up_w), (BEGINS_S, 450.0), (ENDS_S, tail_w), (STOP_S, 70.0)]


def energies(levels: Levels, begins_s: float = BEGINS_S, ends_s: float = ENDS_S) -> SpanEnergies:
    beside = Span(START_S, begins_s), Span(ends_s, STOP_S)
    ticks = ticks_of(levels, until_s=4.5)
    return counter_energy(ticks, [Span(begins_s, ends_s)], settling=falls_at_once(), beside=beside)


@pytest.mark.parametrize(("ramp_up_w", "tail_w"), [(450, 450), (260, 200), (260, 450), (600, 70)])
def test_each_part_of_a_load_gets_its_own_joules(ramp_up_w: float, tail_w: float) -> None:
    found = energies(load(ramp_up_w, tail_w))
    assert found.energies_j == exactly(450 * (ENDS_S - BEGINS_S))
    assert found.beside_j == exactly(ramp_up_w * (BEGINS_S - START_S), tail_w * (STOP_S - ENDS_S))
    assert found.idle_w == pytest.approx(70.0, rel=1e-3)


def test_the_window_of_a_steady_load_is_known_to_a_part_of_a_tick() -> None:
    found = energies(load(450, 450))
    # A whole tick is 45 J at each edge; a tail taken for a fall made it as unsure as that.
    assert found.uncertainty_j < 7


def test_power_that_changes_at_an_edge_makes_it_less_sure() -> None:
    assert energies(load(260, 200)).uncertainty_j > energies(load(450, 450)).uncertainty_j


@pytest.mark.parametrize("late_s", [0.01, 0.02, 0.03])
def test_power_that_follows_the_load_late_is_held_by_two_uncertainties(late_s: float) -> None:
    levels = [(-10.0, 70.0), (START_S, 260.0), (BEGINS_S + late_s, 450.0), (ENDS_S + late_s, 200.0)]
    levels += [(STOP_S, 70.0)]
    found = energies(levels)
    true_j = joules(levels, ENDS_S) - joules(levels, BEGINS_S)
    assert abs(found.energy_j - true_j) < 2 * found.uncertainty_j < 0.02 * true_j


def test_a_ramp_up_between_two_ticks_is_bounded_by_the_loads_own_start() -> None:
    begins_s = START_S + 0.01
    found = energies([(-10.0, 70.0), (START_S, 450.0), (STOP_S, 70.0)], begins_s=begins_s)
    assert found.energies_j == exactly(450 * (ENDS_S - begins_s))
    assert found.beside_j[0] == pytest.approx(4.5)


def test_a_window_without_a_tick_gets_what_its_neighbours_leave() -> None:
    begins_s, ends_s = 1.42, 1.48
    levels = [(-10.0, 70.0), (START_S, 450.0), (begins_s, 600.0), (ends_s, 450.0), (STOP_S, 70.0)]
    found = energies(levels, begins_s, ends_s)
    assert abs(found.energy_j - 36.0) < 2 * found.uncertainty_j < 36.0


def test_a_tick_that_the_grid_does_not_explain_is_no_witness() -> None:
    ticks = CounterTicks()
    for number in range(30):
        # Only one is late: counters have been seen to be held up.
        tick_s = 0.1 * number + (0.03 if number == 20 else 0.0)
        ticks.add(tick_s - 0.002, 45.0 * (number - 1))
        ticks.add(tick_s + 0.002, 45.0 * number)
    sharp = ticks.sharpened()
    assert len(sharp) == len(ticks) - 1
    assert 45.0 * 20 not in sharp.energies_j


def test_ticks_seen_between_readings_far_apart_are_as_sharp_as_their_grid() -> None:
    ticks, shown = CounterTicks(), 0.0
    for number in range(600):
        seconds = number * 0.004
        # Sparse readings in the middle, as inside a window.
        if not 200 < number < 400 or number % 40 == 0:
            shown = 45.0 * math.floor(seconds / 0.1 + 1e-9)
            ticks.add(seconds, shown)
    wide = [n for n in range(len(ticks)) if ticks.blur_s(n) > 0.02]
    assert wide
    sharp = ticks.sharpened()
    known = dict(zip(sharp.energies_j, sharp.times_s, strict=True))
    assert [known[e] for e in known] == pytest.approx([e / 450.0 for e in known], abs=0.003)
    assert any(ticks.energies_j[n] in known for n in wide)
    assert max(sharp.blur_s(n) for n in range(len(sharp))) < 0.002
