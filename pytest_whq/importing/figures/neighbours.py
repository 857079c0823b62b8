"""The doubt that needs a whole sweep: a figure off the line through its neighbours'."""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from pytest_whq.importing.result import Result
from pytest_whq.units import format_quantity, wh

OFF = 1.5
"""So many times above or below the line of its neighbours, a figure does not belong to their sweep."""

_FAR = 8.0
"""Neighbours whose concurrency differs by more than this ratio tell nothing of what is between them."""


def off_the_line(results: Sequence[Result], j_per_query: Mapping[int, float]) -> dict[int, str]:
    """Index of a result -> why its figure, in ``j_per_query`` by index, is off its neighbours' line.

    Neighbours are the results of the same set-up with the next lower and the next higher concurrency;
    the line is straight between the logarithms of concurrency and of joules.
    """
    sweeps: dict[Hashable, dict[int, list[int]]] = {}
    for index, result in enumerate(results):
        concurrency = result.setup.concurrency
        if index in j_per_query and concurrency:
            key = replace(result.setup, concurrency=None, date=None, image=None, commit=None), result.modelled
            sweeps.setdefault(key, {}).setdefault(concurrency, []).append(index)
    found: dict[int, str] = {}
    for sweep in sweeps.values():
        ladder = {concurrency: [j_per_query[index] for index in at] for concurrency, at in sweep.items()}
        for off in _off_steps(ladder):
            found |= {index: _said(j_per_query[index], off) for index in sweep[off.concurrency]}
    return found


class _Off(NamedTuple):
    """A step of a sweep, and joules that the line between two other steps gives for it."""

    concurrency: int
    expected_j: float
    low: int
    high: int
    distance: float


def _off_steps(ladder: Mapping[int, Sequence[float]]) -> Iterator[_Off]:
    """The steps that are off their neighbours' line, the furthest first.

    One that is off bends the line of its neighbours, too: it is gone before they are judged again.
    """
    steps = sorted(ladder)
    above = dict(pairwise(steps))
    below = {high: low for low, high in above.items()}
    off: dict[int, _Off] = {}

    def judge(step: int) -> None:
        off.pop(step, None)
        if step in below and step in above:
            found = _off(ladder, below[step], step, above[step])
            if found is not None and found.distance > math.log(OFF):
                off[step] = found

    for step in steps:
        judge(step)
    while off:
        worst = max(off.values(), key=lambda one: (one.distance, -one.concurrency))
        yield worst
        del off[worst.concurrency]
        above[worst.low], below[worst.high] = worst.high, worst.low
        judge(worst.low)
        judge(worst.high)


def _off(ladder: Mapping[int, Sequence[float]], low: int, middle: int, high: int) -> _Off | None:
    if high / low > _FAR:
        return None
    ends = [math.log(ladder[one][0]) for one in (low, high)]
    share = math.log(middle / low) / math.log(high / low)
    line = ends[0] + share * (ends[1] - ends[0])
    distance = max(abs(math.log(found_j) - line) for found_j in ladder[middle])
    return _Off(middle, math.exp(line), low, high, distance)


def _said(found_j: float, off: _Off) -> str:
    expected = format_quantity(wh(off.expected_j), "Wh")
    return (
        f"off its neighbours' line: {format_quantity(wh(found_j), 'Wh')}, "
        f"{found_j / off.expected_j:.2f} times "
        f"the {expected} between concurrency {off.low} and {off.high} of the same sweep"
    )
