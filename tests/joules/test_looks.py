"""Counters that are made of looks are told from those that see everything, by their steps."""

import pytest
from sensors_side_by_side import LOAD, counter_of, power_of

from pytest_whq.joules.counting.looks import Steps, looked_energy, may_look, steps_beside, what_it_sees
from pytest_whq.joules.spans import Span, UnmeasurableError

WINDOW = Span(1.03, 2.03)
LOOK_S = 0.025


def test_only_beside_power_that_looks_part_of_the_time_a_counter_may_be_made_of_looks() -> None:
    assert may_look(counter_of(), power_of(averaging_s=LOOK_S))
    assert not may_look(counter_of(), power_of(averaging_s=0.1))


def test_the_steps_at_a_windows_edges_tell_what_a_counter_sees() -> None:
    power = power_of(averaging_s=LOOK_S)
    assert steps_beside(counter_of(), power, [WINDOW]) == Steps(2, 0)
    assert steps_beside(counter_of(look_s=LOOK_S), power, [WINDOW]) == Steps(2, 2)


def test_a_step_next_to_that_in_which_power_changed_tells_nothing() -> None:
    at_ticks = [(-10.0, 70.0), (1.0, 450.0), (2.0, 70.0)]
    power = power_of(at_ticks, averaging_s=LOOK_S)
    assert steps_beside(counter_of(at_ticks), power, [Span(1.0, 2.0)]) == Steps(0, 0)


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        ([], "unknown"),
        ([Steps(0, 0)], "unknown"),
        ([Steps(2, 2)], "looks"),
        ([Steps(2, 2), Steps(2, 0)], "all"),
    ],
)
def test_steps_that_are_more_than_looks_prove_a_counter_that_sees_all(seen: list[Steps], what: str) -> None:
    assert what_it_sees(seen) == what


def test_looks_are_taken_for_their_time_with_what_was_not_seen_in_the_uncertainty() -> None:
    found = looked_energy(counter_of(look_s=LOOK_S), [WINDOW], LOOK_S)
    assert found.energy_j == pytest.approx(450.0, rel=0.01)
    assert found.idle_w == pytest.approx(70.0)
    # Equal looks prove no steady load.
    assert 0.02 < found.uncertainty_j / found.energy_j < 0.1
    assert found.unseen_j == found.uncertainty_j


def test_a_window_with_fewer_than_three_looks_is_too_short() -> None:
    with pytest.raises(UnmeasurableError, match=r"see only 25 of each 100 ms.*whq\(call\)") as caught:
        looked_energy(counter_of(LOAD, look_s=LOOK_S), [Span(1.03, 1.28)], LOOK_S)
    assert caught.value.reason.code == "window_too_short"
