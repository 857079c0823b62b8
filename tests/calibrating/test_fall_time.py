"""How fast power falls, by turns that end before ticks: of simulated ones, and of those of real boards."""

import math
from random import Random

import pytest
from recorded_board import recording

from pytest_whq.calibrating.ended_turns import ticks_of, turns_of
from pytest_whq.calibrating.fall_time import Turn, fall_time_s
from pytest_whq.calibrating.step_response import Refresh
from pytest_whq.joules.counting.falling import Tick
from pytest_whq.joules.spans import Span

HEIGHT_W, LEVEL_W = 380.0, 70.0


def turn(constant_s: float, first_s: float, random: Random, *, late_s: float = 0.0) -> Turn:
    """A turn whose load ends ``late_s`` later than it seems; ticks are known to a millisecond."""
    ticks = []
    for number in range(4):
        seen_s = first_s + 0.1 * number
        truly_s = seen_s + random.gauss(0, 0.001) - late_s
        fallen_s = constant_s * (1 - math.exp(-truly_s / constant_s)) if constant_s else 0.0
        ticks.append(Tick(seen_s, LEVEL_W * truly_s + HEIGHT_W * fallen_s, 0.001))
    return Turn(HEIGHT_W, LEVEL_W, ticks)


def turns(constant_s: float, seed: int, *, late_s: float = 0.0) -> list[Turn]:
    random = Random(seed)
    return [turn(constant_s, 0.003 + 0.017 * n / 15, random, late_s=late_s) for n in range(16)]


@pytest.mark.once
@pytest.mark.parametrize("late_s", [-0.001, 0.0, 0.001])
@pytest.mark.parametrize("constant_s", [0.0, 0.003, 0.005, 0.008, 0.012, 0.02, 0.03, 0.06])
def test_the_range_holds_the_time_constant(constant_s: float, late_s: float) -> None:
    found = [fall_time_s(turns(constant_s, seed, late_s=late_s)) for seed in range(2)]
    assert all(each is not None and each[0] <= constant_s <= each[1] for each in found), found


def test_a_fall_of_8_ms_is_told_from_one_at_once_and_from_one_of_15() -> None:
    for seed in range(3):
        low_s, high_s = fall_time_s(turns(0.008, seed)) or (0.0, math.inf)
        assert low_s > 0
        assert high_s - low_s < 0.0101


def test_turns_that_end_long_before_a_tick_leave_it_open() -> None:
    random = Random(1)
    late = [turn(0.008, 0.06 + 0.002 * number, random) for number in range(16)]
    low_s, high_s = fall_time_s(late) or (math.inf, 0.0)
    assert low_s == 0
    assert high_s >= 0.01


def test_a_turn_in_which_another_load_ran_does_not_hide_what_the_others_tell() -> None:
    told = turns(0.008, 1)
    ticks = [told[0].ticks[0], *(tick._replace(energy_j=tick.energy_j + 20) for tick in told[0].ticks[1:])]
    low_s, high_s = fall_time_s([told[0]._replace(ticks=ticks), *told[1:]]) or (0.0, 0.0)
    assert low_s > 0
    assert low_s <= 0.008 <= high_s


def test_a_counter_of_whole_joules_tells_less_and_nothing_wrong() -> None:
    *_, last = ticks_of([Refresh(0.1 * number, 7.0 * number, 0.001) for number in range(9)], 0.1)
    assert last.rounded_j == pytest.approx(1 / math.sqrt(12))
    for seed in range(6):
        rounded = [
            each._replace(
                ticks=[
                    tick._replace(energy_j=math.floor(tick.energy_j), rounded_j=last.rounded_j)
                    for tick in each.ticks
                ]
            )
            for each in turns(0.008, seed)
        ]
        low_s, high_s = fall_time_s(rounded) or (math.inf, 0.0)
        assert low_s <= 0.008 <= high_s


def test_two_turns_tell_nothing() -> None:
    assert fall_time_s(turns(0.008, 1)[:2]) is None


def test_a_tick_that_was_seen_late_is_placed_by_the_grid_of_the_others() -> None:
    sharp = [Refresh(0.1 * number + 0.001, 7.0 * number, 0.002) for number in range(30)]
    late = Refresh(0.1 * 30 + 0.011, 7.0 * 30, 0.022)
    *_, found = ticks_of([*sharp, late], 0.1)
    assert found.time_s == pytest.approx(3.001, abs=0.0005)
    assert found.error_s < 0.001


@pytest.mark.parametrize(("sooner_s", "range_s"), [(0.02, (0.005, 0.015)), (0.1, (0.005, 0.0125))])
def test_the_ticks_after_the_loads_of_a_real_board_tell_it(
    sooner_s: float, range_s: tuple[float, float]
) -> None:
    """Its power falls over 6 to 11 ms, as its power sensor shows, too."""
    board = "nvidia-h200"
    found = turns_of(recorded_ticks(board), recorded_loads(board))
    assert fall_time_s([each for each in found if each.ticks[0].time_s < sooner_s]) == range_s


def test_where_no_tick_came_soon_after_a_load_a_real_board_may_fall_at_once() -> None:
    board = "nvidia-h100-80gb-hbm3"
    found = turns_of(recorded_ticks(board), recorded_loads(board))
    assert fall_time_s(found) == (0.0, 0.0125)


def recorded_ticks(board: str) -> list[Tick]:
    counter = recording(board).counter
    changes = zip(counter.before_s, counter.after_s, counter.values, strict=True)
    return ticks_of(
        [Refresh((start_s + end_s) / 2, j, end_s - start_s) for start_s, end_s, j in changes], 0.1
    )


def recorded_loads(board: str) -> list[Span]:
    return [span for name, span in recording(board).turns if name.startswith(("windows", "a long"))]
