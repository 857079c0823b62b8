"""What a board still draws after a load has ended, and how fast that falls. Pure.

Power does not stop with the work: it falls with a time constant of 0 to some 60 ms, and what is drawn
after a window's end is not the window's. The counter's ticks after the end tell the fall where the first
of them comes soon; where it comes late, most of the fall is over by then. So each of a few time constants
gets a weight, by how well it explains the ticks, and those that cannot be excluded widen the uncertainty.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from pytest_whq.joules.counting.falling import Falling, Tick, fitted, power_between
from pytest_whq.joules.counting.loads import Load
from pytest_whq.joules.known_errors import dot
from pytest_whq.joules.rest import Level

CONSTANTS_S = (0.0, 0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.03, 0.045, 0.06, 0.09, 0.13, 0.2, 0.3)
"""The time constants that are weighed."""

_SLOWEST_BOARD_S = 0.1
"""No board's power falls more slowly: then it may be the counter that is late, and the tail is the load's."""

_POSSIBLE = 2.5
"""A time constant is possible while its log-likelihood is below the best by no more: the 97 % interval."""

_DOUBTLESS = 5.0
"""And a fall at once while its is by no more: nothing is taken off on a chance of one in a hundred."""

_HELD = 1.9
"""The ways that are possible are within so many standard uncertainties."""

_NEGLIGIBLE = 1e-4
"""A way of less weight is left out where there are many tails."""

_BELOW = 0.1
"""A board rests no lower after a load than before it, but for so much."""

MISFIT = 16.0
"""Sum of squared residuals above which no fall explains what was seen."""

SHARE_OF_ONE = 6.0
"""A single fall excludes no time constant by more than this log-likelihood: something else may have run."""


@dataclass(frozen=True)
class Aftermath:
    """What was drawn after ``loads``: the ways in which power may have fallen, and their log-likelihoods."""

    loads: Sequence[Load]
    falls: Sequence[Falling]
    log_likelihoods: Sequence[float]

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

    @property
    def drawn_j(self) -> float:
        """Joules from the last load's end to the first tick after it."""
        return self._taken([fall.drawn_j for fall in self.falls])

    def tail_j(self, load: int, seconds: float) -> float:
        """Joules above the level in the first ``seconds`` after a load, told by its place."""
        return math.fsum(weight * fall.tail_j(load, seconds) for weight, fall in self._likely)

    @cached_property
    def error_j(self) -> float:
        """One standard uncertainty of `drawn_j`, together with the tails in the pauses before."""
        last, told_s = len(self.loads) - 1, self.loads[-1].told_s
        late = [self.falls[one] for one in self._possible if _is_late(self.falls[one])]
        late_j = max((fall.tail_j(last, told_s) + fall.tail_j(last) for fall in late), default=0.0)
        own_j = max(self.falls[one].drawn_error_j + self._pauses_j[one][1] for one in self._possible)
        values_j = [
            fall.drawn_j + tails_j for fall, (tails_j, _) in zip(self.falls, self._pauses_j, strict=True)
        ]
        taken_j = self._taken(values_j)
        furthest_j = max(abs(values_j[one] - taken_j) for one in self._possible)
        # Two standard uncertainties are to hold each of the ways that are possible, and some more.
        return math.hypot(late_j / 2, furthest_j / _HELD, own_j)

    @cached_property
    def _pauses_j(self) -> list[tuple[float, float]]:
        return [fall.pauses_j(self.loads) for fall in self.falls]

    @cached_property
    def _possible(self) -> list[int]:
        return possible_of([fall.settling_s for fall in self.falls], self.log_likelihoods)

    @cached_property
    def _weights(self) -> list[float]:
        # No board is corrected on suspicion: a fall at once is taken while it is possible.
        if self._possible[0] == 0:
            return [1.0, *[0.0] * (len(self.falls) - 1)]
        best = max(self.log_likelihoods)
        weights = [math.exp(value - best) for value in self.log_likelihoods]
        total = math.fsum(weights)
        return [weight / total for weight in weights]

    @cached_property
    def _likely(self) -> list[tuple[float, Falling]]:
        pairs = zip(self._weights, self.falls, strict=True)
        return [(weight, fall) for weight, fall in pairs if weight > _NEGLIGIBLE]

    def _taken(self, values: Sequence[float]) -> float:
        return dot(self._weights, values)


def possible_of(constants_s: Sequence[float], log_likelihoods: Sequence[float]) -> list[int]:
    """Which of the time constants cannot be excluded, by their places; at least one."""
    best = max(log_likelihoods)
    pairs = zip(constants_s, log_likelihoods, strict=True)
    return [n for n, (s, value) in enumerate(pairs) if value >= best - (_POSSIBLE if s else _DOUBTLESS)]


def falls_of(
    loads: Sequence[Load],
    lowest_w: float,
    first: Tick,
    ticks: Sequence[Tick],
    constants_s: Sequence[float] = CONSTANTS_S,
) -> tuple[Falling, ...]:
    """How power may have fallen after the last of ``loads``, to no less than ``lowest_w``; see `fitted`."""
    level_w = power_between(*ticks[-2:])
    falls = [fitted(loads, level_w, first, ticks, constant_s) for constant_s in constants_s]
    return tuple(_judged(fall, lowest_w, is_told=len(ticks) > 2) for fall in falls)


def _judged(fall: Falling, lowest_w: float, *, is_told: bool) -> Falling:
    """The fall, the less likely the deeper below ``lowest_w`` it leads."""
    below = max(0.0, lowest_w - fall.level_w) / (_BELOW * lowest_w) if lowest_w > 0 else 0.0
    likelihood = fall.log_likelihood - below**2 / 2
    if not is_told and _is_late(fall):
        # A single step tells no counter that is late from one that is not.
        likelihood -= SHARE_OF_ONE
    return fall._replace(misfit=fall.misfit + below**2, log_likelihood=likelihood)


def _is_late(fall: Falling) -> bool:
    return fall.settling_s > _SLOWEST_BOARD_S


def beyond_j(ticks: Sequence[Tick]) -> float:
    """Joules at ``ticks`` above the level that they end with: of a load that came late, or of another."""
    steps = [*pairwise(ticks)]
    level_w = power_between(*steps[-1]) if steps else 0.0
    return math.fsum(max(0.0, _above_j(before, after, level_w)) for before, after in steps)


def _above_j(before: Tick, after: Tick, level_w: float) -> float:
    """By how much two ticks are beyond doubt further apart than the level has them."""
    errors_j = [error_j for tick in (before, after) for error_j in (level_w * tick.error_s, tick.rounded_j)]
    drawn_j = after.energy_j - before.energy_j
    return drawn_j - level_w * (after.time_s - before.time_s) - 2 * math.hypot(*errors_j)
