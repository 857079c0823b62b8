"""How much runs of the same code differ, learned from all tests that were run together. Pure.

Two runs of one test tell hardly anything of its noise; two runs of two hundred tests tell a lot. What moves
all tests of a run alike, as a warm machine does, is the run's own shift and no noise of its tests.
"""

import math
from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import NamedTuple

RUN_NOISE = 0.01
"""How much runs of the same code differ at least, one standard deviation as a share."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What is assumed of runs of the same code, standard deviations as shares.

    ``run`` is how much those on one board differ at least; ``other_boards`` how much those on another board
    of the same model do, None where they are not to be compared.
    """

    run: float = RUN_NOISE
    other_boards: float | None = None

    def for_boards(self, differ: bool) -> float:
        """The noise to assume where boards ``differ``, or not."""
        return max(self.run, self.other_boards or 0.0) if differ else self.run


ENOUGH = 8
"""Fewer tests than this do not tell what moved all of them, nor how odd an odd run is."""

_FEW_DEVIATIONS = 2 * ENOUGH
_NORMAL = 0.6745
"""The median of the size of a standard normal deviate."""

_POLISHED = 3
_TAIL_SHARE = 0.05
_TAIL_LEAST = 10
_HEAVY = 4.0
"""Normal noise thins out by a higher power where it is looked at."""


class RunValue(NamedTuple):
    """The logarithm of a test's mean in one run; ``error`` is its standard error between rounds.

    ``run`` tells runs apart: what is equal is the same run.
    """

    run: Hashable
    log: float
    error: float


@dataclass(frozen=True, slots=True)
class RunNoise:
    """What `learn` found: ``sigma`` is one standard deviation between runs, a share.

    ``deviations`` are those of single runs from the others of their test in units of ``sigma``, the smallest
    first: empty where there are too few. ``slope`` is by which power the largest of them thin out.
    ``shifts`` are by how much, in the logarithm, all tests of a run moved together.
    """

    sigma: float
    deviations: tuple[float, ...] = ()
    slope: float | None = None
    shifts: Mapping[Hashable, float] = field(default_factory=dict)

    @property
    def pooled(self) -> bool:
        """Whether it was learned from many tests, and is not what the caller assumes."""
        return bool(self.deviations)

    def shift(self, run: Hashable) -> float:
        """By how much ``run`` moved all of its tests, in the logarithm."""
        return self.shifts.get(run, 0.0)

    def tail(self, size: float) -> float:
        """How probable it is that a run is ``size`` deviations or more above the others by chance alone.

        As often as it happened, on either side; beyond that, by the power law that the largest follow
        (B. M. Hill, Annals of Statistics 3, 1975), which expects of a suite whose runs are sometimes far off
        that they will be again. 0 where no deviations are known.
        """
        count = len(self.deviations)
        if not count:
            return 0.0
        if size <= 0:
            return 1.0
        seen = (count - bisect_left(self.deviations, size)) / count / 2
        top = _in_tail(count)
        start = self.deviations[-top - 1]
        if self.slope is None or size <= start:
            return seen
        beyond = top / count / 2 * math.pow(size / start, -self.slope)
        return max(seen, beyond)


def _in_tail(count: int) -> int:
    return min(max(_TAIL_LEAST, round(_TAIL_SHARE * count)), count - 1)


def _slope(deviations: Sequence[float]) -> float | None:
    """By which power the largest of ``deviations``, in order, thin out; None where all are alike."""
    top = _in_tail(len(deviations))
    start = deviations[-top - 1]
    if start <= 0:
        return None
    total = sum(math.log(deviation / start) for deviation in deviations[-top:])
    if total <= 0:
        return None
    slope = top / total
    # Of tails that are heavy for certain the slope is taken for two standard errors less: no more suites than
    # promised may fail by its being known from a few runs.
    return slope * (1 - 2 / math.sqrt(top)) if slope < _HEAVY else slope


def learn(base: Sequence[Sequence[RunValue]], least: float) -> RunNoise:
    """The noise of tests whose accepted runs are ``base``, test by test.

    ``least`` is what is assumed where there is too little to learn from, and never fallen below.
    """
    shifts = _polished(base) if len(base) >= ENOUGH else {}
    deviations: list[float] = []
    for runs in base:
        deviations += _from_the_others([value.log - shifts.get(value.run, 0.0) for value in runs])
    if len(deviations) < _FEW_DEVIATIONS:
        return RunNoise(least, shifts=shifts)
    sigma = max(least, median(deviations) / _NORMAL)
    deviations = sorted(deviation / sigma for deviation in deviations)
    return RunNoise(sigma, tuple(deviations), _slope(deviations), shifts)


def with_new_runs(
    noise: RunNoise, base: Sequence[Sequence[RunValue]], head: Sequence[Sequence[RunValue]], limit: float
) -> RunNoise:
    """``noise`` with the shifts of the runs of ``head``, whose tests have the accepted runs ``base``.

    A shift beyond ``limit`` is none to be forgiven: it stays in the values.
    """
    if len(head) < ENOUGH:
        return noise
    moved = _run_medians(head, [median(v.log - noise.shift(v.run) for v in runs) for runs in base])
    whole = median(moved.values()) if moved else 0.0
    if abs(whole) > limit:
        return noise
    # A run of a few tests only, as when suspects are measured again, moves as the others did.
    runs = {value.run for values in head for value in values}
    return replace(noise, shifts={**noise.shifts, **{run: moved.get(run, whole) for run in runs}})


def _from_the_others(logs: Sequence[float]) -> list[float]:
    """How far each value is from the mean of the others, in units of one value's deviation."""
    others = len(logs) - 1
    if others < 1:
        return []
    total = sum(logs)
    return [abs(log - (total - log) / others) / math.sqrt(1 + 1 / others) for log in logs]


def _polished(base: Sequence[Sequence[RunValue]]) -> dict[Hashable, float]:
    """By how much each run moved all of its tests: median polish (Tukey, Exploratory Data Analysis, 1977)."""
    shifts: dict[Hashable, float] = {}
    for _ in range(_POLISHED):
        shifts = _run_medians(base, [median(v.log - shifts.get(v.run, 0.0) for v in runs) for runs in base])
        middle = median(shifts.values()) if shifts else 0.0
        shifts = {run: shift - middle for run, shift in shifts.items()}
    return shifts


def _run_medians(tests: Sequence[Sequence[RunValue]], centres: Sequence[float]) -> dict[Hashable, float]:
    """The median distance of each run's tests from their centres, of runs with enough tests."""
    distances: dict[Hashable, list[float]] = {}
    for values, centre in zip(tests, centres, strict=True):
        for value in values:
            distances.setdefault(value.run, []).append(value.log - centre)
    enough = max(ENOUGH, len(tests) // 2)
    return {run: median(found) for run, found in distances.items() if len(found) >= enough}
