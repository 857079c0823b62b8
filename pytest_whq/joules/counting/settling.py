"""What a board still draws after a load has ended, and how fast that falls. Pure.

Power does not stop with the work: it falls with a time constant of 0 to some 60 ms, and what is drawn
after a window's end is not the window's. The counter's ticks after the end tell the fall where the first
of them comes soon; where it comes late, most of the fall is over by then. So each of a few time constants
gets a weight, by how well it explains the ticks, and those that cannot be excluded widen the uncertainty.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from pytest_whq.joules.rest import UNSEEN_CHANGE, Level

CONSTANTS_S = (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.045, 0.06, 0.09, 0.13, 0.2, 0.3)
"""The time constants that are weighed."""

FINE_S = tuple(sorted((*CONSTANTS_S, 0.0025, 0.0075, 0.0125)))
"""And those of a board whose calibration tells between them: the falls of one session hardly do."""

_SLOWEST_BOARD_S = 0.1
"""No board's power falls more slowly: then it may be the counter that is late, and the tail is the load's."""

_POSSIBLE = 2.5
"""A time constant is possible while its log-likelihood is below the best by no more: the 95 % interval."""

_DOUBTLESS = 5.0
"""And a fall at once while its is by no more: nothing is taken off on a chance of one in a hundred."""

_HEIGHT = 0.4
"""Relative uncertainty of the height of the fall: a load need not end at its mean power."""

_HELD = 1.8
"""The ways that are possible are within so many standard uncertainties."""

_SHAPE = 0.1
"""Relative uncertainty of a tail: power falls not quite as one exponential, nor with one of the constants."""

_BELOW = 0.1
"""A board rests no lower after a load than before it, but for so much."""

_STEADY = 0.01
"""Relative scatter of a steady level from tick to tick."""

MISFIT = 16.0
"""Sum of squared residuals above which no fall explains what was seen."""

SHARE_OF_ONE = 6.0
"""A single fall excludes no time constant by more than this log-likelihood: something else may have run."""


class Step(NamedTuple):
    """Joules from one tick to the next, ``start_s`` and ``end_s`` after the load, and their uncertainty."""

    start_s: float
    end_s: float
    energy_j: float
    error_j: float

    @property
    def power_w(self) -> float:
        """Mean watts in it."""
        return self.energy_j / (self.end_s - self.start_s)


@dataclass(frozen=True, slots=True)
class Falling:
    """One way in which power may fall after a load: to ``level_w``, from ``tail_j / settling_s`` above it."""

    settling_s: float
    level_w: float
    tail_j: float
    level_error_w: float
    tail_error_j: float
    misfit: float
    log_likelihood: float

    def tail_until_j(self, seconds: float) -> float:
        """Joules above the level in the first ``seconds``."""
        return self.tail_j * _fallen(self.settling_s, seconds)

    def drawn_j(self, seconds: float) -> float:
        """Joules in the first ``seconds``."""
        return self.level_w * seconds + self.tail_until_j(seconds)

    def error_j(self, seconds: float, other_pauses_s: Sequence[float] = ()) -> float:
        """One standard uncertainty of them, and of the tails in other pauses, if power falls this way."""
        fallen = math.fsum(_fallen(self.settling_s, pause_s) for pause_s in (seconds, *other_pauses_s))
        tail_error_j = math.hypot(self.tail_error_j, _SHAPE * self.tail_j)
        return math.hypot(self.level_error_w * seconds, tail_error_j * fallen)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was drawn after a load: the ways in which its power may have fallen, and their log-likelihoods."""

    falls: tuple[Falling, ...]
    log_likelihoods: tuple[float, ...]

    @property
    def explains(self) -> bool:
        """Whether any of the ways explains what was seen."""
        return len(self.falls) == 1 or min(fall.misfit for fall in self.falls) <= MISFIT

    @property
    def level_w(self) -> float:
        """The level to which power falls."""
        return self._taken([fall.level_w for fall in self.falls])

    @property
    def level(self) -> Level:
        """The same, with how far the possible ways are from it."""
        possible = [self.falls[one] for one in self._possible]
        furthest_w = max(abs(fall.level_w - self.level_w) for fall in possible)
        return Level(self.level_w, math.hypot(furthest_w / 2, max(fall.level_error_w for fall in possible)))

    def drawn_j(self, seconds: float) -> float:
        """Joules in the first ``seconds`` after the load."""
        return self._taken([fall.drawn_j(seconds) for fall in self.falls])

    def tail_until_j(self, seconds: float) -> float:
        """Joules above the level in the first ``seconds``."""
        return self._taken([fall.tail_until_j(seconds) for fall in self.falls])

    def error_j(self, seconds: float, other_pauses_s: Sequence[float] = ()) -> float:
        """One standard uncertainty of `drawn_j`, together with the tails in other pauses of the same load."""
        values = [
            fall.drawn_j(seconds) + math.fsum(fall.tail_until_j(pause_s) for pause_s in other_pauses_s)
            for fall in self.falls
        ]
        taken_j = self._taken(values)
        late = [self.falls[n] for n in self._possible if self.falls[n].settling_s > _SLOWEST_BOARD_S]
        late_j = max((fall.tail_until_j(seconds) + fall.tail_j for fall in late), default=0.0)
        furthest_j = max(abs(values[one] - taken_j) for one in self._possible)
        # Two standard uncertainties are to hold each of the ways that are possible, and some more.
        return math.hypot(
            late_j / 2,
            furthest_j / _HELD,
            max(self.falls[one].error_j(seconds, other_pauses_s) for one in self._possible),
        )

    @property
    def _possible(self) -> list[int]:
        return possible_of([fall.settling_s for fall in self.falls], self.log_likelihoods)

    def _taken(self, values: Sequence[float]) -> float:
        # No board is corrected on suspicion: a fall at once is taken while it is possible.
        if self._possible[0] == 0:
            return values[0]
        best = max(self.log_likelihoods)
        weights = [math.exp(value - best) for value in self.log_likelihoods]
        return _dot(weights, values) / math.fsum(weights)


def possible_of(constants_s: Sequence[float], log_likelihoods: Sequence[float]) -> list[int]:
    """Which of the time constants cannot be excluded, by their places; at least one."""
    best = max(log_likelihoods)
    pairs = zip(constants_s, log_likelihoods, strict=True)
    return [n for n, (s, value) in enumerate(pairs) if value >= best - (_POSSIBLE if s else _DOUBTLESS)]


def beyond_j(steps: Sequence[Step]) -> float:
    """Joules of ``steps`` above the level that they end with: of a load that came late, or of another."""
    if not steps:
        return 0.0
    level_w = steps[-1].power_w
    return math.fsum(
        max(0.0, step.energy_j - level_w * (step.end_s - step.start_s) - 2 * step.error_j) for step in steps
    )


def falls_of(
    steps: Sequence[Step],
    busy_s: float,
    excess_j: float,
    first_s: float,
    level_w: float,
    lowest_w: float,
    constants_s: Sequence[float] = CONSTANTS_S,
) -> tuple[Falling, ...]:
    """How power may have fallen after a load of ``busy_s``, by the ``steps`` seen after it.

    It does not fall below ``lowest_w``. ``excess_j`` is what was drawn above ``level_w`` from the load's
    beginning to the first tick after it, ``first_s`` after its end: the load's own and what of the fall was
    before that tick.
    """
    falls = [_fall(steps, busy_s, excess_j, first_s, level_w, constant_s) for constant_s in constants_s]
    return tuple(_judged(fall, lowest_w, is_told=len(steps) > 1) for fall in falls)


def _judged(fall: Falling, lowest_w: float, *, is_told: bool) -> Falling:
    """The fall, the less likely the deeper below ``lowest_w`` it leads."""
    below = max(0.0, lowest_w - fall.level_w) / (_BELOW * lowest_w) if lowest_w > 0 else 0.0
    likelihood = fall.log_likelihood - below**2 / 2
    if not is_told and fall.settling_s > _SLOWEST_BOARD_S:
        # A single step tells no counter that is late from one that is not.
        likelihood -= SHARE_OF_ONE
    return replace(fall, misfit=fall.misfit + below**2, log_likelihood=likelihood)


def height_w(busy_s: float, excess_j: float, first_s: float, settling_s: float) -> float:
    """Watts above the level at the end of a load that rises as slowly as it falls."""
    if settling_s == 0:
        return excess_j / busy_s
    risen = _fallen(settling_s, busy_s)
    mean = 1 - risen * settling_s / busy_s
    return excess_j * risen / (mean * busy_s + risen * settling_s * _fallen(settling_s, first_s))


def _fall(
    steps: Sequence[Step], busy_s: float, excess_j: float, first_s: float, level_w: float, settling_s: float
) -> Falling:
    """Bayes' linear fit of level and tail, the level unknown before, the tail as high as the load."""
    expected_j = max(0.0, height_w(busy_s, excess_j, first_s, settling_s)) * settling_s
    doubt_j = _HEIGHT * expected_j
    scatter = _STEADY if len(steps) > 1 else UNSEEN_CHANGE
    errors_j = [math.hypot(s.error_j, scatter * level_w * (s.end_s - s.start_s)) for s in steps]
    # Of the sums of weighted squares; the level is eliminated first.
    lengths = [(s.end_s - s.start_s) / e for s, e in zip(steps, errors_j, strict=True)]
    shares = [_share(s, settling_s) / e for s, e in zip(steps, errors_j, strict=True)]
    seen = [s.energy_j / e for s, e in zip(steps, errors_j, strict=True)]
    ll, ls, ly = _dot(lengths, lengths), _dot(lengths, shares), _dot(lengths, seen)
    free = _dot(shares, shares) - ls * ls / ll
    pull = _dot(shares, seen) - ls * ly / ll
    tail_j, tail_error_j, spread = 0.0, 0.0, 1.0
    if doubt_j > 0:
        precision = free + 1 / doubt_j**2
        tail_j = (pull + expected_j / doubt_j**2) / precision
        tail_error_j, spread = 1 / math.sqrt(precision), doubt_j * math.sqrt(precision)
    fitted_w = (ly - ls * tail_j) / ll
    level_error_w = math.sqrt(1 / ll + (ls / ll * tail_error_j) ** 2)
    misfit = math.fsum(
        (y - fitted_w * length - tail_j * share) ** 2
        for y, length, share in zip(seen, lengths, shares, strict=True)
    )
    if doubt_j > 0:
        misfit += ((tail_j - expected_j) / doubt_j) ** 2
    likelihood = -misfit / 2 - math.log(spread)
    return Falling(settling_s, fitted_w, tail_j, level_error_w, tail_error_j, misfit, likelihood)


def _share(step: Step, settling_s: float) -> float:
    """Of the tail, the share that falls into a step."""
    return _fallen(settling_s, step.end_s) - _fallen(settling_s, step.start_s)


def _fallen(settling_s: float, seconds: float) -> float:
    return 1.0 if settling_s == 0 else -math.expm1(-seconds / settling_s)


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


def steps_between(
    times_s: Sequence[float], energies_j: Sequence[float], errors_j: Sequence[float]
) -> list[Step]:
    """From tick to tick; times are counted from the load's end."""
    ticks = zip(times_s, energies_j, errors_j, strict=True)
    return [
        Step(start_s, end_s, after_j - before_j, math.hypot(error_j, other_j))
        for (start_s, before_j, error_j), (end_s, after_j, other_j) in pairwise(ticks)
    ]
