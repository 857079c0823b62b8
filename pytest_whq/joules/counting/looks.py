"""Counters that are made of looks: of some boards at 25 of each 100 ms, taken for the whole. Pure.

A board's power sensor may see only part of the time, and its counter may add up just that: each step is
then the power that is shown beside it, times the period. Steps that are not prove a counter that sees all.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean
from typing import Literal, NamedTuple

from pytest_whq.joules.counting.ticks import SLOW_COUNTER_S, CounterTicks
from pytest_whq.joules.power_samples import PowerSamples
from pytest_whq.joules.rest import UNSEEN_CHANGE, Level, level_at_rest
from pytest_whq.joules.sampling import sampled_error_j, scatter_of
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError, start_of
from pytest_whq.model import CounterKind

_PART = 0.3
"""Counters are known that are made of what a power sensor sees that averages over so small a share of their
period."""

_CHANGED = 0.1
"""Only where power changes by more than this share do the steps tell what they are made of."""

_EQUAL = 0.03
"""A step that differs from the power beside it by no more than this share is made of it."""

_MADE_OF_LOOKS = 0.8
"""The share of such steps from which on the counter is taken to be made of looks."""

_MARGIN = 0.06
"""So near to a tick, as a share of the period, a window's edge changes hardly anything of a step."""

_ADJACENT = 1.3
"""Ticks that are no further apart than so many periods have none between them."""

_FEW = 2
"""A single step may be that of a look by chance, or under a load that goes on and off faster than looks do:
fewer prove nothing, neither do fewer that speak against a calibration."""

FEWEST = 3
"""Looks that a span must hold."""

_ALMOST = 0.1
"""Of a look: less of it inside a span tells nothing, and so much may be missing."""


Sees = Literal["all", "looks", "unknown"]

_KNOWN: Mapping[CounterKind | None, Sees] = {"whole": "all", "looks": "looks"}
"""What a calibration says of it; one that lags may see all."""


class Steps(NamedTuple):
    """How many steps tell what a counter is made of, and how many are the power shown beside them."""

    telling: int
    explained: int


class _Part(NamedTuple):
    """From one tick to another: the watts inside the span, from so many looks of it and so much else."""

    start_s: float
    end_s: float
    power_w: float
    looks: float


def may_look(ticks: CounterTicks, power: PowerSamples) -> bool:
    """Whether the power sensor beside sees so little that the counter may be made of looks."""
    period_s = ticks.period_s
    if period_s is None or period_s >= SLOW_COUNTER_S:
        return False
    return 0 < power.averaging_s < _PART * period_s and len(power) > 0


def steps_beside(ticks: CounterTicks, power: PowerSamples, spans: Sequence[Span]) -> Steps:
    """The counter's steps that can tell what it is made of, and those that power beside them explains."""
    period_s = ticks.period_s
    assert period_s is not None
    edges_s = [edge_s for span in spans for edge_s in (span.start_s, span.end_s)]
    telling = explained = 0
    for tick_s, step_w, shown_w, shown_before_w in _changes(ticks, power, period_s):
        highest_w = max(step_w, *shown_w, shown_before_w)
        is_shown = min(abs(step_w - w) for w in shown_w) <= _EQUAL * highest_w
        is_change = max(abs(w - shown_before_w) for w in shown_w) > _CHANGED * highest_w
        if is_change and is_shown:
            # Where power changed outside of it, a step of what is shown is explained both ways.
            first_s, last_s = tick_s - (1 - _MARGIN) * period_s, tick_s - _MARGIN * period_s
            holds_edge = any(first_s < edge_s < last_s for edge_s in edges_s)
            telling, explained = telling + holds_edge, explained + holds_edge
        elif is_change or min(abs(step_w - w) for w in shown_w) > _CHANGED * highest_w:
            telling += 1
    return Steps(telling, explained)


def what_it_sees(seen: Iterable[Steps], known: CounterKind | None = None) -> Sees:
    """What a counter is made of, as far as its steps tell; ``known`` is what a calibration has shown."""
    every = list(seen)
    telling, explained = sum(one.telling for one in every), sum(one.explained for one in every)
    by_calibration = _KNOWN.get(known)
    if not telling:
        return by_calibration or "unknown"
    by_steps: Sees = "looks" if explained >= _MADE_OF_LOOKS * telling else "all"
    if by_steps == by_calibration or (by_steps == "all" and by_calibration is None):
        return by_steps
    return "unknown" if max(explained, telling - explained) < _FEW else by_steps


def _changes(
    ticks: CounterTicks, power: PowerSamples, period_s: float
) -> Iterator[tuple[float, float, list[float], float]]:
    """Of each step next to another: its end, its watts, and what power showed after it and the one before."""
    previous: tuple[int, float] | None = None
    for index in range(1, len(ticks)):
        seconds = ticks.times_s[index] - ticks.times_s[index - 1]
        step_w = (ticks.energies_j[index] - ticks.energies_j[index - 1]) / period_s
        clear_s = ticks.blur_s(index) * 2
        tick_s = ticks.times_s[index]
        shown = [power.powers_w[i] for i in power.between(tick_s + clear_s, tick_s + period_s - clear_s)]
        if seconds > _ADJACENT * period_s or step_w < 0 or not shown:
            previous = None
            continue
        if previous is not None and previous[0] == index - 1:
            yield tick_s, step_w, shown, previous[1]
        previous = index, shown[-1]


def looked_energy(
    ticks: CounterTicks, spans: Sequence[Span], look_s: float, beside: Sequence[Span] = ()
) -> SpanEnergies:
    """Joules of each of ``spans`` by a counter that sees ``look_s`` before each tick, and no more.

    ``beside`` are spans of the same load right before and after those.
    Raises `UnmeasurableError` where a span holds too few looks, or the counter fell.
    """
    period_s = ticks.period_s
    assert period_s is not None
    if broke := ticks.break_between(spans[0].start_s - period_s, spans[-1].end_s + period_s):
        raise UnmeasurableError("counter_reset", f"the energy counter {broke} while the window was open")
    known = list(ticks.sharp())
    load = sorted((*spans, *beside), key=start_of)
    rest = _rest(known, load, look_s, period_s)
    idle_w = 0.0 if rest is None else rest.power_w
    within = [_parts(known, span, look_s, period_s, idle_w, beside) for span in spans]
    for span, parts in zip(spans, within, strict=True):
        if not _are_enough(parts):
            raise too_few_looks(span, look_s, period_s)
    energies_j = tuple(_span_j(parts, span) for span, parts in zip(spans, within, strict=True))
    every = [part for parts in within for part in parts]
    scatter_w = scatter_of([part.power_w for part in every], [part.looks for part in every])
    looks = math.fsum(part.looks for part in every)
    error_j = sampled_error_j(scatter_w, looks, len(spans), period_s)
    of_beside = (_parts(known, span, look_s, period_s, idle_w, spans) for span in beside)
    beside_j = tuple(
        _span_j(parts, span) if _are_enough(parts) else None
        for parts, span in zip(of_beside, beside, strict=True)
    )
    idle_error_w = 0.0 if rest is None else rest.error_w
    found = SpanEnergies("counter", energies_j, error_j, None if rest is None else idle_w, error_j)
    return replace(found, idle_error_w=idle_error_w, beside_j=beside_j)


def _are_enough(parts: Sequence[_Part]) -> bool:
    return math.fsum(part.looks for part in parts) >= FEWEST - _ALMOST


def too_few_looks(span: Span, look_s: float, period_s: float) -> UnmeasurableError:
    """Why a span is too short for a counter that may be made of looks."""
    return UnmeasurableError(
        "window_too_short",
        f"the counter may see only {look_s * 1000:.0f} of each {period_s * 1000:.0f} ms, so a window of "
        f"{span.duration_s * 1000:.0f} ms is too short for it: repeat the call with whq(call)",
    )


def _parts(
    known: Sequence[tuple[float, float]],
    span: Span,
    look_s: float,
    period_s: float,
    idle_w: float,
    beside: Sequence[Span],
) -> list[_Part]:
    """What the looks in ``span`` saw of it, those at its edges less the level outside.

    Those that saw something of the spans ``beside`` it, too, tell nothing.
    """
    parts = []
    for (start_s, before_j), (end_s, after_j) in pairwise(known):
        if end_s <= span.start_s or start_s - look_s >= span.end_s:
            continue
        number = max(1, round((end_s - start_s) / period_s))
        inside, elsewhere = (
            math.fsum(
                each.overlap_s(end_s - back * period_s - look_s, end_s - back * period_s) / look_s
                for each in each_of
                for back in range(number)
            )
            for each_of in ([span], beside)
        )
        if inside > _ALMOST > elsewhere:
            inside_j = after_j - before_j - idle_w * period_s * (number - inside)
            parts.append(_Part(start_s, end_s, inside_j / (inside * period_s), inside))
    return parts


def _span_j(parts: Sequence[_Part], span: Span) -> float:
    """Each part stands for its own time, the outermost up to the edges, and no tick is forgotten between."""
    ends_s = [*(part.end_s for part in parts[:-1]), span.end_s]
    starts_s = [span.start_s, *ends_s[:-1]]
    return math.fsum(
        part.power_w * max(0.0, min(end_s, span.end_s) - start_s)
        for part, start_s, end_s in zip(parts, starts_s, ends_s, strict=True)
    )


def _rest(
    known: Sequence[tuple[float, float]], spans: Sequence[Span], look_s: float, period_s: float
) -> Level | None:
    """The level at rest, by the looks around the spans."""
    # The first look after a load may still see power fall.
    settled_s = spans[-1].end_s + 2 * look_s
    sides: tuple[list[float], list[float]] = ([], [])
    for (start_s, before_j), (end_s, after_j) in pairwise(known):
        number = max(1, round((end_s - start_s) / period_s))
        power_w = (after_j - before_j) / (number * period_s)
        if end_s <= spans[0].start_s:
            sides[0].append(power_w)
        elif end_s - (number - 1) * period_s - look_s >= settled_s:
            sides[1].append(power_w)
    before, after = (_level(side[-2:]) for side in sides)
    return level_at_rest(before, after)


def _level(looks_w: Sequence[float]) -> Level | None:
    if not looks_w:
        return None
    return Level(fmean(looks_w), math.hypot(max(looks_w) - min(looks_w), UNSEEN_CHANGE * max(looks_w)) / 2)
