"""Spans beside those that are measured, in which the devices were busy, too: as a load's ramp and tail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_whq.joules.spans import Span, SpanEnergies

Energies = Mapping[str, SpanEnergies]


def energies_beside(
    find: Callable[[Sequence[Span]], Energies],
    spans: Sequence[Span],
    beside: Sequence[Span],
    energies: Energies,
) -> tuple[Energies, tuple[float | None, ...]]:
    """``energies`` of ``spans`` with the idle level outside of all, and the joules of each of ``beside``.

    ``find`` tells the energies of any spans by device.
    """
    every = sorted((*spans, *(span for span in beside if span.duration_s)), key=_start_s)
    if len(every) == len(spans):
        return energies, (None,) * len(beside)
    found = find(every)
    levelled = {
        id_: replace(one, idle_w=found[id_].idle_w, idle_error_w=found[id_].idle_error_w)
        for id_, one in energies.items()
    }
    joules = [sum(each) for each in zip(*(one.energies_j for one in found.values()), strict=True)]
    by_span = dict(zip(every, joules, strict=True))
    return levelled, tuple(by_span.get(span) for span in beside)


def _start_s(span: Span) -> float:
    return span.start_s
