"""Whether an energy counter and the power sensor beside it tell the same. Pure.

Each power reading is compared with what the counter says of the time that it averages. Summed up that is
by how many joules they differ; how far they may, without either being wrong, follows from the refreshes
that were seen, and from how much of the time the power sensor sees.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power_samples import SEES_ALL, PowerSamples
from pytest_whq.joules.sampling import scatter_of
from pytest_whq.joules.spans import Span

DISAGREEMENT = 0.05
"""Counter and power of a board agree better than this, apart from what was not seen."""

_AGREEMENT = 0.003
"""They need not agree better than this."""

_CERTAIN = 3.5
"""So many standard uncertainties from each other they contradict, on one of eight boards, too."""

_NOTICED = 1.2
"""From so many on the energy's uncertainty takes up their difference, from one more on all of it."""

_START_S = 1.0
"""So much of a span's beginning is compared by itself: there readings are close, and a lag shows."""

_REFRESHES = 2.5
"""A beginning of fewer refreshes of the power sensor has hardly been seen."""

_FASTER = 0.7
"""Power that is seen to change each time after less than this share of its usual period refreshes faster."""

_BURST = 2.0
"""Looks see all of a burst or none. One that they missed may be so many times the mean that was counted."""

_LEAST_SEEN = 0.1
"""A sensor that averages over long must have seen so much of a short span's end."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The counter's joules less those of power, and one standard uncertainty of how far they may be apart."""

    energy_j: float
    uncertainty_j: float

    def is_contradiction(self, energy_j: float) -> bool:
        """Whether one of them is wrong, in a span of ``energy_j``."""
        return abs(self.energy_j) > DISAGREEMENT * energy_j + _CERTAIN * self.uncertainty_j

    def doubt_j(self, energy_j: float) -> float:
        """What it adds to the standard uncertainty of ``energy_j``: all, where chance is no good excuse."""
        chance_j = self.uncertainty_j + _AGREEMENT * energy_j
        excess = abs(self.energy_j) / chance_j - _NOTICED if chance_j > 0 else 0.0
        return abs(self.energy_j) * min(1.0, max(0.0, excess))


def differences(ticks: CounterTicks, power: PowerSamples, spans: Sequence[Span]) -> list[Difference]:
    """Over all of ``spans`` with what lies between, and over their beginning, where enough was seen of it.

    Where it is not known how long before each reading power was refreshed, they differ by what they do at
    least.
    """
    refresh_s, look_backs_s = _refreshes(ticks, power)
    sharp = ticks.sharpened()
    every = [_differences(sharp, power, spans, refresh_s, look_back_s) for look_back_s in look_backs_s]
    return min(every, key=_furthest_j)


def _refreshes(ticks: CounterTicks, power: PowerSamples) -> tuple[float, Sequence[float]]:
    """How often power is refreshed, in seconds, and how long ago that may have been on average, when read."""
    most_s = power.refresh.most_s
    is_faster = power.refresh.period_s is None and most_s < _FASTER * power.refresh_s
    # A counter that ticks more seldom tells nothing of single readings.
    if is_faster and ticks.period_s is not None and ticks.period_s <= most_s / 2:
        return most_s, [most_s / 2, most_s / 4, most_s / 8, most_s / 16]
    return power.refresh_s, [power.refresh_s / 2]


def _furthest_j(found: Sequence[Difference]) -> float:
    return max((abs(difference.energy_j) for difference in found), default=math.inf)


def _differences(
    ticks: CounterTicks, power: PowerSamples, spans: Sequence[Span], refresh_s: float, look_back_s: float
) -> list[Difference]:
    whole = Span(spans[0].start_s, spans[-1].end_s)
    beginning = Span(whole.start_s, min(whole.end_s, whole.start_s + _START_S))
    found = [_difference(ticks, power, whole, refresh_s, look_back_s, with_rest=True)]
    if beginning.duration_s >= _REFRESHES * refresh_s:
        found.append(_difference(ticks, power, beginning, refresh_s, look_back_s, with_rest=False))
    return [difference for difference in found if difference is not None]


def _difference(
    ticks: CounterTicks,
    power: PowerSamples,
    span: Span,
    refresh_s: float,
    look_back_s: float,
    *,
    with_rest: bool,
) -> Difference | None:
    averaging_s = power.averaging_s or refresh_s
    last_s = ticks.times_s[-1] + look_back_s
    until_s = min(last_s, span.end_s + refresh_s + power.averaging_s if with_rest else span.end_s)
    indices = power.between(span.start_s, until_s)
    first = max(0, indices.start - 1)
    times_s, shown_w = power.times_s[first : indices.stop], power.powers_w[first : indices.stop]
    if len(times_s) < 3 or len(ticks) < 2:
        return None
    counted_w = [
        (_energy_j(ticks, t - look_back_s) - _energy_j(ticks, t - look_back_s - averaging_s)) / averaging_s
        for t in times_s
    ]
    known_s = 2 * ticks.times_s[0] - ticks.times_s[1] + averaging_s + look_back_s
    if times_s[0] < known_s and abs(counted_w[0] - shown_w[0]) > DISAGREEMENT * shown_w[0]:
        # What was drawn before the first tick is in the average still.
        clean = bisect_left(times_s, known_s)
        times_s, shown_w, counted_w = times_s[clean:], shown_w[clean:], counted_w[clean:]
        if len(times_s) < 3:
            return None
    apart_w = [counted - shown for counted, shown in zip(counted_w, shown_w, strict=True)]
    energy_j = math.fsum(
        (before_w + after_w) / 2 * (after_s - before_s)
        for (before_s, before_w), (after_s, after_w) in pairwise(zip(times_s, apart_w, strict=True))
    )
    seen = 1.0
    if with_rest and span.duration_s < averaging_s:
        seen = min(1.0, (times_s[-1] - span.end_s) / (averaging_s + look_back_s))
        if seen < _LEAST_SEEN:
            return None
    return Difference(energy_j / seen, _error_j(refresh_s, times_s, shown_w, counted_w, averaging_s) / seen)


def _error_j(
    period_s: float,
    times_s: Sequence[float],
    shown_w: Sequence[float],
    counted_w: Sequence[float],
    averaging_s: float,
) -> float:
    """How far the sum of differences may be from nothing, though both sensors are right."""
    sees_all = averaging_s >= SEES_ALL * period_s
    squares = 0.0
    for index in range(1, len(times_s)):
        pause_s = times_s[index] - times_s[index - 1]
        change_w = abs(shown_w[index] - shown_w[index - 1])
        if not sees_all:
            change_w = max(change_w, abs(counted_w[index] - counted_w[index - 1]))
        # A change may have been anywhere between two readings, or two looks.
        squares += (change_w * (pause_s if sees_all else max(pause_s, period_s))) ** 2 / 12
    seconds = times_s[-1] - times_s[0]
    looks = min(len(times_s), seconds / period_s)
    unseen = max(0.0, 1 - looks * min(averaging_s, period_s) / seconds)
    if unseen > 1 - SEES_ALL:
        every = max(1, round(period_s / (seconds / len(times_s))))
        looks_w = list(shown_w)[::every]
        squares += (scatter_of(looks_w, [1.0] * len(looks_w)) * seconds) ** 2 * unseen / looks
        # One look more or less of bursts: of those that were missed, where the counter says more.
        burst_w = max(shown_w) if sum(counted_w) < sum(shown_w) else _BURST * max(counted_w)
        squares += (burst_w * period_s) ** 2 * unseen
    # How long ago a sensor has refreshed is known to a refresh, which counts where the ends differ.
    ends_w = max(max(shown_w[-3:]) - min(shown_w[-3:]), abs(shown_w[-1] - shown_w[0]))
    return math.sqrt(squares + (ends_w * period_s) ** 2 / 12)


def _energy_j(ticks: CounterTicks, time_s: float) -> float:
    """The counter at a time between its ticks, as if power were steady there."""
    after = min(len(ticks) - 1, max(1, bisect_left(ticks.times_s, time_s)))
    before = after - 1
    return ticks.energies_j[before] + ticks.power_w(before, after) * (time_s - ticks.times_s[before])
