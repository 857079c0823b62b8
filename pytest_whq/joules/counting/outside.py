"""The levels outside spans: what a device drew before the first of them, and after the last. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from pytest_whq.joules.counting.falling import Tick
from pytest_whq.joules.counting.ticks import FALL_S, FALL_TICKS, SLOW_COUNTER_S, CounterTicks
from pytest_whq.joules.power_samples import SLOW_SENSOR_S, PowerSamples
from pytest_whq.joules.rest import UNSEEN_CHANGE, Level

_UNSTEADY = 0.25
"""A level that differs from the one further out by more than this share is not steady."""

_VAGUE = 0.1
"""A tick that slow readings saw, blurred by more than this share of a level's length, tells no change."""

_NEAR_S = 0.3
"""So far from the spans the power sensor is asked at least, if they began right after a tick."""

_POWER_DIFFERS = 0.01
"""Relative uncertainty of the power sensor as a witness of what the counter counts."""


@dataclass(frozen=True, slots=True)
class Outside:
    """The level before the spans, as two ticks ``span_s`` apart tell it.

    ``drift_w`` is by how much it may differ nearer to the spans; the errors are those, in joules, of the tick
    next to the spans and of the one further out.
    """

    power_w: float
    drift_w: float
    steady: bool
    span_s: float
    near_error_j: float
    far_error_j: float

    @property
    def level(self) -> Level:
        """The level as seen."""
        seen_w = math.hypot(self.near_error_j, self.far_error_j) / self.span_s
        return Level(self.power_w, math.hypot(seen_w, self.drift_w))

    def uncertainty_j(self, outside_s: float) -> float:
        """One standard uncertainty of the joules drawn from the near tick to the spans, ``outside_s`` away.

        A tick in truth later than taken leaves a shorter stretch, and tells a lower level for it.
        """
        share = outside_s / self.span_s
        near_j = self.near_error_j * (1 + share)
        return math.hypot(near_j, self.far_error_j * share, self.drift_w * outside_s)


def level_before(
    ticks: CounterTicks, edge: int, start_s: float, power: PowerSamples | None
) -> Outside | None:
    """The level from the tick ``edge`` to ``start_s``; None where nothing tells it."""
    from_s = min(ticks.times_s[edge], start_s - _NEAR_S)
    near = ticks.before(edge)
    if _is_slow(ticks) and (seen := _by_power(power, from_s, start_s)) is not None:
        power_w, error_w = seen
        return Outside(power_w, error_w, True, math.inf, ticks.error_j(edge, power_w), 0.0)
    if near is None:
        return None
    power_w = ticks.power_w(near, edge)
    span_s = ticks.times_s[edge] - ticks.times_s[near]
    errors_j = ticks.error_j(edge, power_w), ticks.error_j(near, power_w)
    further = ticks.before(near)
    if further is None or ticks.blur_s(further) > _VAGUE * span_s:
        return Outside(power_w, UNSEEN_CHANGE * power_w, True, span_s, *errors_j)
    change_w = abs(ticks.power_w(further, near) - power_w)
    steady = change_w <= _UNSTEADY * power_w + 3 * math.hypot(*errors_j) / span_s
    return Outside(power_w, change_w / 2, steady, span_s, *errors_j)


def furthest_before(ticks: CounterTicks, edge: int) -> int:
    """The furthest tick that the level before the tick ``edge`` is told from."""
    near = ticks.before(edge)
    if near is None:
        return edge
    further = ticks.before(near)
    return near if further is None else further


def ticks_after(ticks: CounterTicks, edge: int, end_s: float, power: PowerSamples | None) -> list[Tick]:
    """What the counter showed after ``end_s``, from the tick ``edge`` on; empty where nothing tells.

    Where it is slow, what it would have shown by the power sensor.
    """
    if _is_slow(ticks) and power is not None:
        from_s = end_s + power.memory_s
        until_s = max(ticks.times_s[edge], from_s + _NEAR_S)
        if (seen := _by_power(power, from_s, until_s)) is not None:
            power_w, error_w = seen
            seconds, error_j = until_s - from_s, error_w * (until_s - from_s) / math.sqrt(2)
            return [
                Tick(from_s - end_s, 0.0, 0.0, error_j),
                Tick(until_s - end_s, power_w * seconds, 0.0, error_j),
            ]
    last = max(edge + FALL_TICKS, bisect_right(ticks.times_s, end_s + FALL_S))
    chosen = range(edge, min(last, len(ticks)))
    return [tick_at(ticks, index, end_s) for index in chosen] if len(chosen) > 1 else []


def tick_at(ticks: CounterTicks, index: int, end_s: float) -> Tick:
    """A tick, its time counted from ``end_s``."""
    return Tick(
        ticks.times_s[index] - end_s, ticks.energies_j[index], ticks.blur_s(index), ticks.error_j(index, 0.0)
    )


def _is_slow(ticks: CounterTicks) -> bool:
    return len(ticks) > 1 and (ticks.times_s[-1] - ticks.times_s[0]) / (len(ticks) - 1) >= SLOW_COUNTER_S


def _by_power(power: PowerSamples | None, from_s: float, until_s: float) -> tuple[float, float] | None:
    """The mean watts that the power sensor showed in a stretch of time, and their standard uncertainty."""
    if power is None or power.refresh.period_s is None or power.memory_s >= SLOW_SENSOR_S:
        return None
    seen_w: Sequence[float] = [power.powers_w[i] for i in power.between(from_s, until_s)]
    if len(seen_w) < 2:
        return None
    mean_w = fmean(seen_w)
    return mean_w, math.hypot(pstdev(seen_w) / math.sqrt(len(seen_w) / 2), _POWER_DIFFERS * mean_w)
