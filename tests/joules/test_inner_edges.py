"""A load's window between its ramp-up and its tail: edges on both sides of which power is drawn."""

import pytest
from test_counter import Levels, exactly, falls_at_once, joules, ticks_of

from pytest_whq.joules.counting.counter import counter_energy
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


def test_power_that_changes_near_an_edge_is_held_by_two_uncertainties() -> None:
    # The last lanes begin when the ramp-up's queries are answered.
    levels = [
        (-10.0, 70.0),
        (START_S, 260.0),
        (BEGINS_S + 0.02, 450.0),
        (ENDS_S - 0.03, 200.0),
        (STOP_S, 70.0),
    ]
    found = energies(levels)
    true_j = joules(levels, ENDS_S) - joules(levels, BEGINS_S)
    assert abs(found.energy_j - true_j) < 2 * found.uncertainty_j < 0.05 * true_j


def test_a_ramp_up_between_two_ticks_is_bounded_by_the_loads_own_start() -> None:
    begins_s = START_S + 0.01
    found = energies([(-10.0, 70.0), (START_S, 450.0), (STOP_S, 70.0)], begins_s=begins_s)
    assert found.energies_j == exactly(450 * (ENDS_S - begins_s))
    assert found.beside_j[0] == pytest.approx(4.5)


def test_a_window_without_a_tick_is_as_unsure_as_its_share_of_the_load() -> None:
    found = energies(load(450, 450), begins_s=1.42, ends_s=1.48)
    assert found.energies_j == exactly(27.0)
    assert found.uncertainty_j > 2.7
