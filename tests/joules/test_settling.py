"""What a board draws while its power falls, by the steps of a counter after the load: exact."""

import math

import pytest

from pytest_whq.joules.counting.falling import Falling, Tick
from pytest_whq.joules.counting.loads import Load
from pytest_whq.joules.counting.seen_falls import Settling
from pytest_whq.joules.counting.settling import CONSTANTS_S, Aftermath, beyond_j, falls_of

HEIGHT_W, LEVEL_W, BUSY_S = 380.0, 70.0, 1.0


def drawn_j(settling_s: float, start_s: float, end_s: float) -> float:
    """What is drawn in that stretch after a load of 450 W has ended."""
    left = [math.exp(-t / settling_s) if settling_s else 0.0 for t in (start_s, end_s)]
    return LEVEL_W * (end_s - start_s) + HEIGHT_W * settling_s * (left[0] - left[1])


def load(settling_s: float, first_s: float) -> Load:
    """One that rose at once, the first tick ``first_s`` after its end."""
    excess_j = HEIGHT_W * BUSY_S + drawn_j(settling_s, 0.0, first_s) - LEVEL_W * first_s
    return Load(BUSY_S, excess_j, first_s)


def falls(settling_s: float, first_s: float, steps: int = 3) -> tuple[Falling, ...]:
    """How power may have fallen after such a load."""
    times_s = [first_s + 0.1 * n for n in range(steps + 1)]
    seen = [Tick(time_s, drawn_j(settling_s, 0.0, time_s), 0.001) for time_s in times_s]
    return falls_of([load(settling_s, first_s)], LEVEL_W, seen[0], seen)


def after(settling_s: float, first_s: float, settling: Settling | None = None) -> Aftermath:
    found = falls(settling_s, first_s)
    likelihoods = (settling or Settling()).log_likelihoods(first_s, found)
    return Aftermath([load(settling_s, first_s)], found, likelihoods)


@pytest.mark.parametrize("settling_s", [0.0, 0.01, 0.03, 0.06])
@pytest.mark.parametrize("first_s", [0.01, 0.05, 0.09])
def test_what_was_drawn_before_the_first_tick_lies_within_two_uncertainties(
    settling_s: float, first_s: float
) -> None:
    found = after(settling_s, first_s)
    assert found.explains
    assert abs(found.drawn_j - drawn_j(settling_s, 0.0, first_s)) <= 2 * found.error_j


def test_a_tick_right_after_the_end_shows_how_power_falls() -> None:
    found = after(0.03, 0.01)
    assert found.drawn_j == pytest.approx(drawn_j(0.03, 0.0, 0.01), rel=0.1)
    assert found.error_j < 1.2 < after(0.03, 0.09).error_j / 2


def test_a_tick_that_comes_late_leaves_it_open_and_nothing_is_taken_off() -> None:
    found = after(0.0, 0.09)
    assert found.drawn_j == pytest.approx(LEVEL_W * 0.09)
    # Half of what a fall of 20 ms, which is over by then, would have added.
    assert found.error_j > 0.5 * 0.015 * HEIGHT_W


def test_what_one_fall_has_shown_is_remembered_of_the_board() -> None:
    settling = Settling()
    for first_s in (0.008, 0.012):
        after(0.0, first_s, settling)
    assert after(0.0, 0.09, settling).error_j < 0.3 * after(0.0, 0.09).error_j


def test_what_a_calibration_has_shown_counts_as_a_fall() -> None:
    known = after(0.0, 0.09, Settling(CONSTANTS_S, known_s=(0.0, 0.005)))
    assert known.error_j < 0.4 * after(0.0, 0.09).error_j


@pytest.mark.parametrize("known_s", [(0.0, 0.005), (0.001, 0.002)])
def test_a_calibration_that_a_fall_contradicts_counts_as_none(known_s: tuple[float, float]) -> None:
    assert after(0.03, 0.01, Settling(CONSTANTS_S, known_s=known_s)) == after(0.03, 0.01)


def test_a_tail_longer_than_any_boards_may_be_the_loads_own_told_late() -> None:
    found = after(0.2, 0.05)
    assert 2 * found.error_j > drawn_j(0.2, 0.05, 1.0) - LEVEL_W * 0.95


def test_no_board_rests_lower_after_a_load_than_before() -> None:
    """Else one late step would fit a slow fall to nothing as well as a fast one to the level seen."""
    found = falls(0.0, 0.133, steps=1)
    likely = {fall.settling_s: fall.log_likelihood for fall in found}
    assert set(likely) == set(CONSTANTS_S)
    assert likely[0.0] - likely[0.09] > 5


def test_energy_that_comes_after_the_load_is_told_unless_ticks_explain_it() -> None:
    error_s = 0.1 / 70 / math.sqrt(2)
    joules = [0.0, 7.0, 34.0, 41.0]
    assert beyond_j([Tick(n / 10, shown, error_s) for n, shown in enumerate(joules)]) == pytest.approx(
        20 - 0.2
    )
    assert beyond_j([]) == 0.0
