"""One way in which power may fall, fitted to ticks whose times are known to a millisecond."""

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from statistics import fmean

import pytest

from pytest_whq.joules.counting.falling import Falling, Tick, fitted, power_between
from pytest_whq.joules.counting.loads import Load

LEVEL_W, HEIGHT_W, BUSY_S, BLUR_S = 70.0, 380.0, 1.0, 0.001


def drawn_j(settling_s: float, seconds: float) -> float:
    """What is drawn after a load of 450 W has ended, and since; before it as well."""
    if seconds < 0:
        return (LEVEL_W + HEIGHT_W) * seconds
    return LEVEL_W * seconds + HEIGHT_W * settling_s * -math.expm1(-seconds / settling_s)


def ticks(settling_s: float, times_s: Sequence[float], late_s: Sequence[float] = ()) -> list[Tick]:
    """Ticks that were so much later than they are taken to have been."""
    late_s = late_s or [0.0] * len(times_s)
    return [Tick(t, drawn_j(settling_s, t + late), BLUR_S) for t, late in zip(times_s, late_s, strict=True)]


def fall(settling_s: float, seen: Sequence[Tick], by_s: float | None = None) -> Falling:
    """How power falls by ``seen``, if over ``by_s``."""
    first = seen[0]
    excess_j = HEIGHT_W * BUSY_S + first.energy_j - LEVEL_W * first.time_s
    return fitted([Load(BUSY_S, excess_j, first.time_s)], LEVEL_W, first, seen, by_s or settling_s)


def test_a_fall_that_is_one_of_those_weighed_is_found() -> None:
    found = fall(0.03, ticks(0.03, [0.01 + 0.02 * n for n in range(10)]))
    assert found.level_w == pytest.approx(LEVEL_W, rel=0.01)
    assert found.drawn_j == pytest.approx(drawn_j(0.03, 0.01), rel=0.03)
    assert found.tail_j(0) == pytest.approx(HEIGHT_W * 0.03, rel=0.05)


def test_a_tick_in_a_fall_leaves_open_what_is_drawn_while_it_may_have_been() -> None:
    seen = ticks(0.03, [0.002 + 0.1 * n for n in range(4)])
    # 2 ms after the end some 430 W are drawn, and 70 by and by.
    assert fall(0.03, seen).drawn_error_j == pytest.approx(0.43, rel=0.15)
    assert fall(0.03, [tick._replace(error_s=BLUR_S / 10) for tick in seen]).drawn_error_j < 0.2


@pytest.mark.parametrize("settling_s", [0.005, 0.01, 0.03, 0.06])
@pytest.mark.parametrize("between", [0.9, 1.1])
def test_ticks_that_were_late_are_within_what_is_stated(settling_s: float, between: float) -> None:
    """Also of a fall that lies between two of those that are weighed."""
    random, apart = Random(f"{settling_s} {between}"), []
    for _ in range(200):
        first_s = random.uniform(0.002, 0.02)
        late_s = [random.uniform(-0.0015, 0.0015) for _ in range(12)]
        seen = ticks(settling_s * between, [first_s + 0.02 * n for n in range(12)], late_s)
        found = fall(settling_s * between, seen, settling_s)
        # To where the first tick was in truth.
        apart.append(abs(found.drawn_j - seen[0].energy_j) / found.drawn_error_j)
    assert fmean(each <= 2 for each in apart) >= 0.95


def test_steps_more_do_not_make_a_fall_that_explains_them_a_misfit() -> None:
    random = Random(3)
    late_s = [random.uniform(-0.0015, 0.0015) for _ in range(22)]
    seen = ticks(0.03, [0.01 + 0.02 * n for n in range(22)], late_s)
    assert fall(0.03, seen).misfit < 5
    assert fall(0.03, seen, 0.13).misfit > 20


def test_the_mean_between_ticks_is_what_they_differ_by() -> None:
    assert [power_between(*pair) for pair in pairwise([Tick(0.0, 1.0, 0.1), Tick(0.5, 36.0, 0.1)])] == [70.0]
