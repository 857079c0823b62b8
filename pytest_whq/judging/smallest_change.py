"""Which change of a test its baseline can show, told before there is one. Pure."""

import math
from collections.abc import Callable, Sequence

from pytest_whq.interval import student_point
from pytest_whq.judging.contrast import Contrast, contrast, runs_like
from pytest_whq.judging.run_noise import RUN_NOISE, RunNoise, RunValue, learn
from pytest_whq.judging.suite import FALSE_DISCOVERIES, Case, Judged, logs_of, outcome_of

POWER = 0.8
"""How often a change is found that counts as one that can be."""

_LARGEST = 10.0
_HALVINGS = 14


def smallest_changes(cases: Sequence[Case], run_noise: float = RUN_NOISE) -> list[float | None]:
    """The smallest change of each test, a share, that is called ``regressed`` in `POWER` of all cases.

    It is of as many runs as each case has in its head, whatever these have measured, where no other of the
    tests changes. None where nothing is found that would be less than eleven times the energy, as where
    single runs are often far off.

    The verdict's own statistics tell which figure would just be called so; a figure is below the truth by
    less than `POWER` says of Student's t (the minimum detectable effect: H. S. Bloom, Evaluation Review
    19(5), 1995).
    """
    bases = [logs_of(case.base) for case in cases]
    noise, tests = learn(bases, run_noise), len(cases)
    return [
        _smallest(
            _planned(base, noise, run_noise, len(case.head), tests), case.limit, FALSE_DISCOVERIES / tests
        )
        for base, case in zip(bases, cases, strict=True)
    ]


def _planned(
    base: Sequence[RunValue], noise: RunNoise, run_noise: float, runs: int, tests: int
) -> Callable[[float], Contrast]:
    """What is found where the figure is by so much, in the logarithm, above the baseline."""

    def found(change: float) -> Contrast:
        return contrast(runs_like(base, noise, runs, change), base, noise, run_noise, tests)

    return found


def _smallest(found_at: Callable[[float], Contrast], limit: float, chance: float) -> float | None:
    below, above = math.log1p(limit), math.log1p(_LARGEST)
    if not _is_told(found := found_at(above), limit, chance):
        return None
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        if _is_told(one := found_at(middle), limit, chance):
            above, found = middle, one
        else:
            below = middle
    return math.expm1(above + student_point(1 - POWER, found.degrees) * found.error)


def _is_told(found: Contrast, limit: float, chance: float) -> bool:
    value, low, high = (math.exp(found.log + side * found.half) for side in (0, -1, 1))
    return outcome_of(Judged(value, low, high, up=found.chance_up <= chance), limit) == "regressed"
