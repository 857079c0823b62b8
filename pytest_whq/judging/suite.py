"""Whether tests need more than their baselines, judged together as the suite that they are. Pure.

Two hundred tests at 95 % each cry wolf in every run. So chance is bounded for all of them at once: of the
tests that are said to have changed, 5 % at the most on average have not (the false discovery rate of
Benjamini and Hochberg, J. R. Statist. Soc. B 57(1), 1995).
"""

import math
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import NamedTuple

from pytest_whq.judging.contrast import HUBER, Contrast, contrast, robust_mean
from pytest_whq.judging.run_noise import ENOUGH, RUN_NOISE, RunNoise, RunValue, learn, with_new_runs
from pytest_whq.model.verdicts import ComparisonOutcome

FALSE_DISCOVERIES = 0.05

_LARGEST = 1e9


class RunMean(NamedTuple):
    """The mean of a metric in one run, above 0; ``error`` is its standard error, as a share of it.

    ``run`` tells runs apart: tests whose means have the same one were measured in one run.
    """

    run: object
    value: float
    error: float


class Case(NamedTuple):
    """The runs of one test on both sides, at least one each, and the change that is allowed, a share."""

    head: Sequence[RunMean]
    base: Sequence[RunMean]
    limit: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One mean over another, the ends of its 95 % interval, and what the suite says of it.

    ``shift`` is the part of it that all tests of these runs share: a test is judged by what is beyond that.
    ``up`` and ``down`` tell whether chance is no explanation, also in a suite of so many tests, of its being
    above 1, or below; ``odd`` whether the only thing that makes it one is how often single runs are far off.
    ``base`` is the mean that it is over.
    """

    value: float
    low: float
    high: float
    base: float = 1.0
    shift: float = 1.0
    up: bool = True
    down: bool = True
    odd: bool = False

    @property
    def beyond_shift(self) -> tuple[float, float, float]:
        """The value and the ends of its interval less what all tests share."""
        return self.value / self.shift, self.low / self.shift, self.high / self.shift


def judge_suite(cases: Sequence[Case], run_noise: float = RUN_NOISE) -> list[Judged]:
    """Each of ``cases`` judged among all of them.

    The model is one of random effects on the logarithm of the means: a run's mean differs from the truth by
    what moves the whole run, by what makes runs of one test differ, and by what makes its rounds differ.
    """
    heads, bases = [logs_of(case.head) for case in cases], [logs_of(case.base) for case in cases]
    limit = median(case.limit for case in cases) if cases else 0.0
    noise = with_new_runs(learn(bases, run_noise), bases, heads, limit)
    found = [
        contrast(head, base, noise, run_noise, len(cases)) for head, base in zip(heads, bases, strict=True)
    ]
    ups = _discoveries([one.chance_up for one in found])
    downs = _discoveries([one.chance_down for one in found])
    return [
        _judged(case, one, HUBER * noise.sigma, up=up, down=down)
        for case, one, up, down in zip(cases, found, ups, downs, strict=True)
    ]


class RunningSuite:
    """Judges the tests of a run one by one as they end, of which the later ones are not known yet.

    ``base`` are the accepted runs of all tests, ``tests`` is how many there are going to be. Chance is
    bounded as if none of the others had changed (Bonferroni's correction), so that what is said of a test
    holds whatever follows; `judge_suite`, once all are there, may find more, but hardly less.
    """

    def __init__(self, base: Iterable[Sequence[RunMean]], tests: int, run_noise: float = RUN_NOISE) -> None:
        self._run_noise = run_noise
        self._noise = learn([logs_of(runs) for runs in base], run_noise)
        self._tests = max(tests, 1)
        self._moved: list[float] = []

    def judge(self, case: Case, *, final: bool = True) -> Judged:
        """``case``, whose runs are all of the run that goes on, among those judged before.

        What is not yet ``final`` is not counted among them.
        """
        head, base = logs_of(case.head), logs_of(case.base)
        noise = self._with_shift(head, case.limit)
        found = contrast(head, base, noise, self._run_noise, max(len(self._moved), 1))
        if final:
            insort(self._moved, found.log + noise.shift(head[0].run))
        bound = FALSE_DISCOVERIES / self._tests
        up, down = (chance <= bound for chance in (found.chance_up, found.chance_down))
        return _judged(case, found, HUBER * noise.sigma, up=up, down=down)

    def _with_shift(self, head: Sequence[RunValue], limit: float) -> RunNoise:
        count = len(self._moved)
        if count < ENOUGH:
            return self._noise
        whole = (self._moved[count // 2] + self._moved[(count - 1) // 2]) / 2
        if abs(whole) > limit:
            return self._noise
        return replace(self._noise, shifts={**self._noise.shifts, **{value.run: whole for value in head}})


def outcome_of(judged: Judged, limit: float) -> ComparisonOutcome:
    """What ``judged`` says where a change up to ``limit``, a share, is allowed.

    ``regressed`` above the limit where neither its own interval nor the suite leaves a doubt that it is
    above 1, and ``improved`` as far below. It is ``inconclusive`` where noise hides which it is: beyond the
    limit with such a doubt, or within it while twice the limit cannot be excluded. All else is ``unchanged``.
    """
    value, low, high = judged.beyond_shift
    if value > 1 + limit:
        return "regressed" if low > 1 and judged.up else "inconclusive"
    if value < 1 - limit:
        return "improved" if high < 1 and judged.down else "inconclusive"
    return "unchanged" if low >= 1 - 2 * limit and high <= 1 + 2 * limit else "inconclusive"


def _judged(case: Case, found: Contrast, width: float, *, up: bool, down: bool) -> Judged:
    raw, base = (
        robust_mean([value.log for value in logs_of(side)], width) for side in (case.head, case.base)
    )
    # Beyond these bounds nobody looks, and files could not hold the figures.
    log = min(raw - base, math.log(_LARGEST))
    return Judged(
        value=math.exp(log),
        low=math.exp(log - found.half),
        high=math.exp(log + found.half),
        base=math.exp(base),
        shift=math.exp(log - min(found.log, math.log(_LARGEST))),
        up=up,
        down=down,
        odd=found.odd and not (up or down),
    )


def logs_of(runs: Sequence[RunMean]) -> list[RunValue]:
    """The means of ``runs`` as statistics take them."""
    return [RunValue(run.run, math.log(run.value), run.error) for run in runs]


def _discoveries(chances: Sequence[float]) -> list[bool]:
    """Which of ``chances`` are too small to be chance, by Benjamini and Hochberg's procedure."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    last = 0
    for rank, index in enumerate(order, start=1):
        if chances[index] <= FALSE_DISCOVERIES * rank / len(chances):
            last = rank
    found = set(order[:last])
    return [index in found for index in range(len(chances))]
