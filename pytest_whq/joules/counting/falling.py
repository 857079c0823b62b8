"""One way in which power may fall after a load, as well as the counter's ticks after it fit. Pure.

From the load's end on a counter counts the level, and above it a tail that falls as an exponential. When a
tick was is known to some milliseconds, and how much that leaves open is up to what was drawn at that moment:
right after a load that is far above the level. A tick that was later than taken adds to the step before it
what the step after it lacks, so that their errors belong together; and before the first there is what was
drawn since the load's end.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pytest_whq.joules.counting.loads import Load, ends_w, fallen
from pytest_whq.joules.known_errors import KnownErrors, SharedErrors, dot
from pytest_whq.joules.rest import UNSEEN_CHANGE

_HEIGHT = 0.4
"""Relative uncertainty of the height of the fall: a load need not end at its mean power."""

_UNEVEN = 3.5
"""And so many times by how much its power scatters from tick to tick: between them it scatters more."""

_COMMON, _OWN = 0.15, 0.2
"""That of loads before the last, of all together and of each, beyond what the last one tells."""

_BETWEEN = 0.1
"""Relative uncertainty of the time constant: the truth lies between two of those that are weighed."""

_SHAPE = 0.1
"""Relative uncertainty of a tail: power falls not quite as an exponential."""

_STEADY = 0.01
"""Relative scatter of a steady level from tick to tick."""

_FEW_STEPS = 3
_BY_CHANCE = 1.7
"""So much each step beyond a few may add to the sum of squared residuals, though the fall explains it."""


class Tick(NamedTuple):
    """The counter showed ``energy_j``, rounded to ``rounded_j``, from ``time_s`` on, known to ``error_s``."""

    time_s: float
    energy_j: float
    error_s: float
    rounded_j: float = 0.0


class Falling(NamedTuple):
    """Power falls to ``level_w``, after the last load from ``scale`` times where that should have ended.

    ``ends_w`` are the watts above the level at which the loads should have, by their means; ``drawn_j`` are
    the joules from the last one's end to the first tick after it.
    """

    settling_s: float
    level_w: float
    ends_w: tuple[float, ...]
    scale: float
    drawn_j: float
    level_error_w: float
    scale_error: float
    drawn_error_j: float
    misfit: float
    log_likelihood: float

    def tail_j(self, load: int, seconds: float = math.inf) -> float:
        """Joules above the level in the first ``seconds`` after a load, told by its place."""
        if self.settling_s == 0:
            return 0.0
        is_last = load == len(self.ends_w) - 1
        scale = self.scale if is_last else self._scale_before
        return scale * self.ends_w[load] * self.settling_s * fallen(self.settling_s, seconds)

    def pauses_j(self, loads: Sequence[Load]) -> tuple[float, float]:
        """Joules above the level that ticks leave untold in the pauses between ``loads``, and their error."""
        tails_j = [
            end_w * self.settling_s * load.unseen(self.settling_s)
            for end_w, load in zip(self.ends_w, loads[:-1], strict=False)
        ]
        together = math.hypot(self.scale_error / 2, _COMMON)
        own_j = [
            math.hypot(_OWN, _UNEVEN * load.uneven) * tail_j
            for tail_j, load in zip(tails_j, loads, strict=False)
        ]
        error_j = together * math.fsum(tails_j) + math.sqrt(dot(own_j, own_j))
        return self._scale_before * math.fsum(tails_j), error_j

    @property
    def _scale_before(self) -> float:
        # Loads of one window end alike, but only in part.
        return (1 + self.scale) / 2


def power_between(before: Tick, after: Tick) -> float:
    """Mean watts from one tick to another."""
    return (after.energy_j - before.energy_j) / (after.time_s - before.time_s)


def fitted(
    loads: Sequence[Load], level_w: float, first: Tick, ticks: Sequence[Tick], settling_s: float
) -> Falling:
    """How power falls after the last of ``loads``, to about ``level_w``, if with this time constant.

    ``first`` is the first tick after it, and ``ticks`` two or more that tell the level. A linear fit as Bayes
    has it: the level is unknown before, the tail as high as the load, the time constant nearly this one.
    """
    heights_w = ends_w(loads, settling_s)
    draw = _Draw(level_w, heights_w[-1], math.hypot(_HEIGHT, _UNEVEN * loads[-1].uneven), settling_s)
    white = draw.errors_of(ticks)
    columns = [
        white.rows(_steps(column)) for column in zip(*(draw.parts_j(t.time_s) for t in ticks), strict=True)
    ]
    seen = white.rows(_steps([tick.energy_j for tick in ticks]))
    fit = KnownErrors(columns, seen, draw.priors)
    # How late the first tick was is in the first of the steps, too, so far as these begin with it.
    variance = draw.variance(first)
    late = white.rows([-variance if ticks[0] == first else 0.0, *[0.0] * (len(ticks) - 2)])
    parts_j = draw.parts_j(first.time_s)
    drawn_j, error_j = fit.sum_of(
        [part - dot(late, column) for part, column in zip(parts_j, columns, strict=True)]
    )
    level_w, level_error_w = fit.sum_of([1.0, *[0.0] * len(draw.priors)])
    scale, scale_error = fit.sum_of([0.0, 1.0, 0.0]) if draw.priors else (1.0, draw.height_error)
    late_j = math.sqrt(max(0.0, variance - dot(late, late)))
    return Falling(
        settling_s=settling_s,
        level_w=level_w,
        ends_w=heights_w,
        scale=scale,
        drawn_j=drawn_j + dot(late, seen),
        level_error_w=level_error_w,
        scale_error=math.hypot(scale_error, _SHAPE * scale),
        drawn_error_j=math.hypot(error_j, late_j, _SHAPE * scale * sum(parts_j[1:2])),
        misfit=fit.misfit - _BY_CHANCE * max(0, len(seen) - _FEW_STEPS),
        log_likelihood=fit.log_likelihood - white.log_size,
    )


class _Draw(NamedTuple):
    """What is drawn after a load, as far as it is known before.

    Power falls to ``level_w`` from ``height_w`` above it, which is unsure by a share of ``height_error``.
    """

    level_w: float
    height_w: float
    height_error: float
    settling_s: float

    @property
    def priors(self) -> Sequence[tuple[float, float]]:
        """Mean and standard error of the tail's scale, and of how much slower than thought it falls."""
        return ((1.0, self.height_error), (0.0, _BETWEEN)) if self.height_w * self.settling_s > 0 else ()

    def parts_j(self, seconds: float) -> Sequence[float]:
        """Joules in the first ``seconds``: of each watt of the level, of the tail, and of a slower one."""
        if not self.priors:
            return (seconds,)
        tail_j = self.height_w * self.settling_s * fallen(self.settling_s, seconds)
        return seconds, tail_j, -self.height_w * seconds * math.exp(-seconds / self.settling_s)

    def variance(self, tick: Tick) -> float:
        """Of the joules shown at a tick, as its time is not known better."""
        left = math.exp(-tick.time_s / self.settling_s) if self.settling_s else 0.0
        return ((self.level_w + self.height_w * left) * tick.error_s) ** 2 + tick.rounded_j**2

    def errors_of(self, ticks: Sequence[Tick]) -> SharedErrors:
        """Those of the steps from tick to tick."""
        scatter = _STEADY if len(ticks) > 2 else UNSEEN_CHANGE
        steady_j = [scatter * self.level_w * seconds for seconds in _steps([tick.time_s for tick in ticks])]
        return SharedErrors([self.variance(tick) for tick in ticks], [each * each for each in steady_j])


def _steps(values: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(values)]
