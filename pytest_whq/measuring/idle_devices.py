"""Whether the devices did anything while they were measured, by the level around it. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pytest_whq.interval import student_t95
from pytest_whq.joules.spans import Observed, Span, SpanEnergies
from pytest_whq.model import Reason
from pytest_whq.units import format_quantity

_TELLING = 0.03
"""What is less sure than this share of the level around it (95 %) tells nothing. Waking a board's clocks
alone adds several times as much, so work that this calls none is not what the figure is about."""

_WANDERS = 0.005
"""By so much the level of a board that rests differs by itself from one second to the next, and by as much as
before and after differ: for seconds after a load it cools, and draws less."""


class Rest(NamedTuple):
    """Watts that a device drew around the spans; ``half_width_w`` is how sure their difference to those in
    the spans is: half the 95 % interval, as far as the draw's own noise goes. By ``drift_w`` the level before
    and that after differ from it.
    """

    power_w: float
    half_width_w: float
    drift_w: float


def rest_around(observed: Iterable[Observed], spans: Sequence[Span]) -> Rest | None:
    """The level before the first and after the last of ``spans``, of what a sensor saw around and in them.

    None where it did not see both sides, or too little to tell how steady the level is.
    """
    start_s = min(span.start_s for span in spans)
    end_s = max(span.end_s for span in spans)
    parts = [one for one in observed if one.end_s > one.start_s]
    before = [one for one in parts if one.end_s <= start_s]
    after = [one for one in parts if one.start_s >= end_s]
    inside = [one for one in parts if one.start_s >= start_s and one.end_s <= end_s]
    outside = [*before, *after]
    degrees = len(outside) - 1 + max(0, len(inside) - 1)
    if not before or not after or end_s <= start_s:
        return None
    # A device that did nothing is as noisy inside as outside; of one that worked the noise decides nothing.
    noise = (_squares(outside) + _squares(inside)) / degrees
    seen_s = _seconds(outside)
    half_width_w = math.hypot(
        student_t95(degrees) * math.sqrt(noise * (1 / seen_s + 1 / (end_s - start_s))),
        2 * math.hypot(_blur_j(before), _blur_j(after)) / seen_s,
    )
    return Rest(_mean_w(outside), half_width_w, abs(_mean_w(before) - _mean_w(after)) / 2)


def _mean_w(parts: Sequence[Observed]) -> float:
    return math.fsum(one.energy_j for one in parts) / _seconds(parts)


def _seconds(parts: Sequence[Observed]) -> float:
    return math.fsum(one.end_s - one.start_s for one in parts)


def _blur_j(parts: Sequence[Observed]) -> float:
    """One standard uncertainty of the energy of parts in a row: what one has too much its neighbour lacks."""
    return max(one.blur_j for one in parts)


def _squares(parts: Sequence[Observed]) -> float:
    """Sum of the squares of how far each part is from their mean: the longer one is, the closer it should.

    Only as far as it is the draw's own, and not from the blur of the moments between which a part was seen.
    """
    if not parts:
        return 0.0
    mean_w = _mean_w(parts)
    squares = 0.0
    for one in parts:
        seconds = one.end_s - one.start_s
        squares += seconds * (one.energy_j / seconds - mean_w) ** 2 - one.blur_j**2 / seconds
    return max(0.0, squares)


def idle_reasons(
    energies: Sequence[SpanEnergies], rests: Sequence[Rest | None], duration_s: float
) -> Iterator[Reason]:
    """The reason, if in spans of ``duration_s`` every device drew what it drew around them."""
    known = [rest for rest in rests if rest is not None]
    if not energies or len(known) < len(energies) or duration_s <= 0:
        return
    if all(_did_nothing(one, rest, duration_s) for one, rest in zip(energies, known, strict=True)):
        inside_w = math.fsum(one.energy_j for one in energies) / duration_s
        outside_w = math.fsum(rest.power_w for rest in known)
        yield Reason(
            "device_idle",
            f"{format_quantity(inside_w, 'W')} in the window are the {format_quantity(outside_w, 'W')} "
            "around it: what was measured ran elsewhere, as on a remote server, or is a mock",
        )


def _did_nothing(energies: SpanEnergies, rest: Rest, duration_s: float) -> bool:
    # That looks were all alike proves no steady load, but none is missed by all of them.
    edges_j = math.sqrt(max(0.0, energies.uncertainty_j**2 - energies.unseen_j**2))
    half_width_w = math.hypot(2 * edges_j / duration_s, rest.half_width_w)
    if max(half_width_w, rest.drift_w) > _TELLING * rest.power_w:
        return False
    wanders_w = max(rest.drift_w, _WANDERS * rest.power_w)
    return abs(energies.energy_j / duration_s - rest.power_w) <= max(half_width_w, wanders_w)
