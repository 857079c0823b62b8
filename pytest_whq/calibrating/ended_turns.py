"""What a counter showed around each turn of a load, its ticks as sharp as their grid makes them. Pure."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import fmean, median

from pytest_whq.calibrating.fall_time import Turn
from pytest_whq.calibrating.step_response import BLURRED, Refresh
from pytest_whq.joules.counting.falling import Tick
from pytest_whq.joules.counting.ticks import quantum_of
from pytest_whq.joules.refresh import on_grid
from pytest_whq.joules.spans import Span

_CLEAR_S = 0.002
"""A tick so soon after the end may have been before it."""

_RESTED_S = 0.3
"""Ticks so long after the first one tell of the fall and of the level that it leads to."""

_SHARPEST_S = 0.0003
"""No tick's time is known better."""


def ticks_of(changes: Sequence[Refresh], period_s: float | None) -> list[Tick]:
    """The changes of a counter at their likeliest times.

    One that a reading saw only late, since it was held up, was where the grid has its point, give or take by
    how much the others miss theirs.
    """
    quantum_j = min((quantum_of(change.shown) for change in changes), default=0.0)
    rounded_j = quantum_j / math.sqrt(12)
    times_s, widths_s = [c.time_s for c in changes], [c.width_s for c in changes]
    grid = on_grid(times_s, widths_s, period_s)
    own_s = [max(_SHARPEST_S, width_s / math.sqrt(12)) for width_s in widths_s]
    if grid is None:
        return [
            Tick(c.time_s, c.shown, error_s, rounded_j) for c, error_s in zip(changes, own_s, strict=True)
        ]
    sharp_s = BLURRED * median(widths_s)
    missed_s = [p.time_s - c.time_s for p, c in zip(grid, changes, strict=True) if c.width_s <= sharp_s]
    off_s = max(_SHARPEST_S, math.sqrt(fmean(each * each for each in missed_s)))
    found = []
    for point, change, error_s in zip(grid, changes, own_s, strict=True):
        if not point.unsure:
            share = off_s**2 / (off_s**2 + error_s**2)
            time_s = point.time_s + share * (change.time_s - point.time_s)
            found.append(Tick(time_s, change.shown, error_s * math.sqrt(share), rounded_j))
    return found


def turns_of(ticks: Sequence[Tick], loads: Sequence[Span]) -> list[Turn]:
    """Each of ``loads`` with the ticks in the rest after it, where these tell how high it was."""
    times_s = [tick.time_s for tick in ticks]
    rests_s = [*(after.start_s for after in loads[1:]), math.inf]
    found = []
    for load, rest_s in zip(loads, rests_s, strict=True):
        before = bisect_left(times_s, load.start_s) - 1
        first = bisect_right(times_s, load.end_s + _CLEAR_S)
        last = bisect_left(times_s, rest_s)
        if before >= 0 and first + 2 < last:
            last = min(last, max(first + 3, bisect_right(times_s, times_s[first] + _RESTED_S)))
            found.append(_turn(ticks[before], ticks[first:last], load))
    return found


def _turn(before: Tick, after: Sequence[Tick], load: Span) -> Turn:
    settled = len(after) // 2
    level_w = _power_w(after[settled], after[-1])
    above_j = after[-1].energy_j - before.energy_j - level_w * (after[-1].time_s - before.time_s)
    ticks = [tick._replace(time_s=tick.time_s - load.end_s) for tick in after]
    return Turn(above_j / load.duration_s, level_w, ticks)


def _power_w(start: Tick, end: Tick) -> float:
    return (end.energy_j - start.energy_j) / (end.time_s - start.time_s)
