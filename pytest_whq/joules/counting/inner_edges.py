"""What a counter showed at moments between two stretches of a load, in both of which it drew power. Pure.

At an edge to rest the level outside tells what of a tick's interval was drawn there. Between a load's
window and its ramp-up or tail neither side rests. So each side is a witness: what the counter showed at its
nearest tick, and what that side draws, as its other ticks tell it, up to the edge. Both are weighed by how
sure they are, and where they contradict each other, the edge is as unsure as that.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from pytest_whq.joules.counting.ticks import LEVEL_SPAN_S, CounterTicks
from pytest_whq.joules.sampling import scatter_of
from pytest_whq.joules.spans import Span

_SETTLES_S = 0.03
"""So long power may take to follow a change of the load, which is made at the edge."""

_NEAR = 8
"""So many intervals between ticks tell how power scatters beside an edge."""

_UNSEEN = 0.15
"""Relative scatter of power from interval to interval before any was seen: a counter tells all of each."""


class _Knot(NamedTuple):
    """What a counter showed at a moment, and one standard uncertainty of both."""

    time_s: float
    energy_j: float
    error_s: float
    error_j: float


class Shown(NamedTuple):
    """The joules that a counter showed at an edge, or would have, and one standard uncertainty of them."""

    energy_j: float
    error_j: float


class _Draw(NamedTuple):
    """The watts of one side of an edge, and one standard uncertainty of them; ``powers_w`` are the nearest's.

    Each of these was seen over ``length_s``.
    """

    power_w: float
    error_w: float
    length_s: float
    powers_w: Sequence[float]


def shown_at_edges(
    ticks: CounterTicks, parts: Sequence[Span], start: Shown, end: Shown, rest_w: float
) -> Mapping[float, Shown]:
    """What the counter showed at each edge of the ``parts`` of a load, which follow each other at once.

    ``start`` and ``end`` are those of the whole load, outside of which ``rest_w`` is drawn.
    """
    edges_s = [parts[0].start_s, *(part.end_s for part in parts)]
    inside = ticks.sharpened().clear_of(edges_s)
    knots = [
        _Knot(edges_s[0], start.energy_j, 0.0, start.error_j),
        *(
            _Knot(time_s, energy_j, inside.blur_s(index), inside.error_j(index, 0.0))
            for index, (time_s, energy_j) in enumerate(zip(inside.times_s, inside.energies_j, strict=True))
            if edges_s[0] < time_s < edges_s[-1]
        ),
        _Knot(edges_s[-1], end.energy_j, 0.0, end.error_j),
    ]
    inner = {left.end_s: _shown_between(knots, left, right, rest_w) for left, right in pairwise(parts)}
    return {edges_s[0]: start, **inner, edges_s[-1]: end}


def _shown_between(knots: Sequence[_Knot], left: Span, right: Span, rest_w: float) -> Shown:
    """What the counter showed where ``left`` ends and ``right`` begins."""
    edge_s = left.end_s
    after = min(max(1, bisect_right(knots, edge_s, key=_time_s)), len(knots) - 1)
    before_knot, after_knot = knots[after - 1], knots[after]
    mean_w = (after_knot.energy_j - before_knot.energy_j) / (after_knot.time_s - before_knot.time_s)
    left_draw = _draw([knot for knot in knots[after - 1 :: -1] if knot.time_s >= left.start_s])
    right_draw = _draw([knot for knot in knots[after:] if knot.time_s <= right.end_s])
    known = [draw for draw in (left_draw, right_draw) if draw is not None]
    unknown = _alike(rest_w, max((draw.power_w for draw in known), default=mean_w))
    left_draw, right_draw = left_draw or unknown, right_draw or unknown
    scatter = _scatter(known)
    by_left = _reached(before_knot, edge_s, left_draw, scatter)
    by_right = _reached(after_knot, edge_s, right_draw, scatter)
    late_s = min(_SETTLES_S, after_knot.time_s - edge_s)
    late_j = abs(right_draw.power_w - left_draw.power_w) * late_s
    return _weighed(by_left, Shown(by_right.energy_j, math.hypot(by_right.error_j, late_j)))


def _time_s(knot: _Knot) -> float:
    return knot.time_s


def _draw(knots: Sequence[_Knot]) -> _Draw | None:
    """What one side draws, by its ``knots``, the nearest to the edge first; None where these are too few."""
    nearest = next((n for n in range(1, len(knots)) if _apart_s(knots[0], knots[n]) >= LEVEL_SPAN_S), None)
    if nearest is None:
        return None
    steps = [*pairwise(knots[: nearest * _NEAR + 1 : nearest])]
    powers_w = [_power_w(near, far) for near, far in steps]
    near, far = steps[0]
    length_s = _apart_s(near, far)
    errors_j = [math.hypot(powers_w[0] * knot.error_s, knot.error_j) for knot in (near, far)]
    return _Draw(powers_w[0], math.hypot(*errors_j) / length_s, length_s, powers_w)


def _scatter(draws: Sequence[_Draw]) -> float:
    """Relative scatter of power from one length to the next: both sides are of one load."""
    ratios = [power_w / fmean(draw.powers_w) for draw in draws for power_w in draw.powers_w]
    return scatter_of(ratios, [1.0] * len(ratios), _UNSEEN) if ratios else 0.0


def _apart_s(near: _Knot, far: _Knot) -> float:
    return abs(far.time_s - near.time_s)


def _power_w(near: _Knot, far: _Knot) -> float:
    return (far.energy_j - near.energy_j) / (far.time_s - near.time_s)


def _alike(rest_w: float, busy_w: float) -> _Draw:
    """The draw of a side that no ticks tell: as the other's, give or take half of what that is above rest."""
    return _Draw(busy_w, abs(busy_w - rest_w) / 2, 0.0, ())


def _reached(knot: _Knot, edge_s: float, draw: _Draw, scatter: float) -> Shown:
    """What the counter showed at the edge, from one knot on."""
    seconds = edge_s - knot.time_s
    # What is drawn in part of a stretch scatters with the root of both lengths, as power that is noise does.
    scatter_j = scatter * draw.power_w * math.sqrt(draw.length_s * abs(seconds))
    errors_j = draw.error_w * seconds, scatter_j, draw.power_w * knot.error_s, knot.error_j
    return Shown(knot.energy_j + draw.power_w * seconds, math.hypot(*errors_j))


def _weighed(one: Shown, other: Shown) -> Shown:
    """The mean of two witnesses, by how sure they are, less sure where they contradict each other."""
    variance = one.error_j**2 + other.error_j**2
    if variance == 0:
        return Shown((one.energy_j + other.energy_j) / 2, abs(one.energy_j - other.energy_j) / 2)
    apart_j = other.energy_j - one.energy_j
    # As Birge has it: their distance tells more of their errors than these do.
    stretched = max(1.0, abs(apart_j) / math.sqrt(variance))
    error_j = one.error_j * other.error_j / math.sqrt(variance) * stretched
    return Shown(one.energy_j + apart_j * one.error_j**2 / variance, error_j)
