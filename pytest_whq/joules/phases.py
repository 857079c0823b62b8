"""The energy of prefill and of decode: of streams one after another, or of devices with roles. Pure.

Between two refreshes a sensor tells the energy of a stretch of time that holds so much prefill and so much
decode. Over many stretches, in each of which they are mixed otherwise, the mean powers of both follow by
least squares, even where each is shorter than a refresh.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from pytest_whq.joules.least_squares import Fit, fit
from pytest_whq.joules.spans import HOPELESS, Span, SpanEnergies, sum_known
from pytest_whq.joules.trace import Trace
from pytest_whq.model import Device, TokenCount
from pytest_whq.model.serving import Phase, Phases

_EDGE_S = 0.001
"""One standard uncertainty of the time that lies between a first token and what the sensor shows of it."""

_LEAST = 0.005
"""No phase is known better than this share of it, by one standard uncertainty."""

_NOTICED = 0.02
"""Time between the queries that is less than this share of the windows counts as decode."""

PREFILL, DECODE = "prefill", "decode"


def phases_by_role(devices: Sequence[Device], energies: Mapping[str, SpanEnergies]) -> Phases | None:
    """The phases by the roles of the devices; None unless each of them does either prefill or decode."""
    roles = {device.id: device.role for device in devices}
    if set(roles.values()) != {PREFILL, DECODE}:
        return None
    of_devices = {id_: Phase(energies[id_].energy_j, energies[id_].uncertainty_j) for id_ in roles}
    prefill, decode = (
        _sum(of_devices[id_] for id_, of in roles.items() if of == role) for role in (PREFILL, DECODE)
    )
    return Phases("role", prefill, decode)


def phases_by_first_token(
    traces: Mapping[str, Trace],
    energies: Mapping[str, SpanEnergies],
    spans: Sequence[Span],
    edges_s: Sequence[float],
) -> Phases | str | None:
    """The phases of queries that came one after another in ``spans``, whose ``energies`` are by device.

    ``edges_s`` are the start, the first token and the last of each of them, in turn. None where streams had
    no decode; where the sensors do not tell, a sentence that says so.
    """
    busy = _Busy(spans, edges_s)
    if not busy.prefill.total_s or not busy.decode.total_s:
        return None  # Streams of a single chunk each have no decode.
    parts = [_parts(trace, energies[id_], busy) for id_, trace in traces.items() if id_ in energies]
    known = [part for part in parts if part is not None]
    if len(known) == len(parts) and known:
        prefill = _sum((part[0] for part in known), busy.prefill.total_s)
        decode = _sum((part[1] for part in known), busy.decode.total_s)
        if all(0 <= phase.uncertainty_j <= HOPELESS * phase.energy_j for phase in (prefill, decode)):
            return Phases("first_token", prefill, decode)
    queries = "1 query" if busy.queries == 1 else f"{busy.queries} queries"
    return (
        f"prefill and decode cannot be told apart in {queries} of this length: "
        "the sensor refreshes too seldom for them"
    )


def joined_phases(parts: Sequence[Phases | None], tokens: TokenCount) -> Phases | None:
    """The phases of several measurements as one, None where one has none or told them apart otherwise."""
    known = [part for part in parts if part is not None]
    ways = {part.separated_by for part in known}
    if len(known) < len(parts) or len(ways) != 1:
        return None
    prefill, decode = (
        _sum(phases, sum_known(phase.duration_s for phase in phases))
        for phases in ([part.prefill for part in known], [part.decode for part in known])
    )
    return with_tokens(Phases(ways.pop(), prefill, decode), tokens)


def with_tokens(phases: Phases, tokens: TokenCount) -> Phases:
    """``phases`` of queries that had so many ``tokens`` together."""
    return replace(
        phases,
        prefill=replace(phases.prefill, tokens=tokens.input_tokens),
        decode=replace(phases.decode, tokens=tokens.output_tokens),
    )


def _sum(phases: Iterable[Phase], duration_s: float | None = None) -> Phase:
    """The joules of several devices or measurements together."""
    parts = list(phases)
    return Phase(
        energy_j=sum(one.energy_j for one in parts),
        uncertainty_j=math.hypot(*(one.uncertainty_j for one in parts)),
        duration_s=duration_s,
    )


class _Elapsed:
    """How much of the time up to a moment lies in stretches, which are in order and do not overlap."""

    def __init__(self, stretches: Iterable[tuple[float, float]]) -> None:
        pairs = list(stretches)
        self._starts_s = [start_s for start_s, _ in pairs]
        self._lengths_s = [max(0.0, end_s - start_s) for start_s, end_s in pairs]
        self._before_s = [0.0, *accumulate(self._lengths_s)]

    @property
    def total_s(self) -> float:
        """The length of all stretches together."""
        return self._before_s[-1]

    def between(self, start_s: float, end_s: float) -> float:
        """Seconds of them from ``start_s`` to ``end_s``."""
        return self._until(end_s) - self._until(start_s)

    def _until(self, time_s: float) -> float:
        index = bisect_right(self._starts_s, time_s) - 1
        if index < 0:
            return 0.0
        return self._before_s[index] + min(time_s - self._starts_s[index], self._lengths_s[index])


class _Busy:
    """What the devices did when: windows, and prefill and decode in them."""

    def __init__(self, spans: Sequence[Span], edges_s: Sequence[float]) -> None:
        self.start_s, self.end_s = spans[0].start_s, spans[-1].end_s
        self.queries = len(edges_s) // 3
        self.windows = _Elapsed((span.start_s, span.end_s) for span in spans)
        self.prefill = _Elapsed(zip(edges_s[0::3], edges_s[1::3], strict=True))
        self.decode = _Elapsed(zip(edges_s[1::3], edges_s[2::3], strict=True))
        between_s = self.windows.total_s - self.prefill.total_s - self.decode.total_s
        self.pauses = between_s > _NOTICED * self.windows.total_s

    def row(self, start_s: float, end_s: float) -> list[float]:
        """Seconds of prefill, decode and, where there is enough of it, neither, in a part of the windows."""
        prefill_s = self.prefill.between(start_s, end_s)
        decode_s = self.decode.between(start_s, end_s)
        rest_s = max(0.0, self.windows.between(start_s, end_s) - prefill_s - decode_s)
        return [prefill_s, decode_s, rest_s] if self.pauses else [prefill_s, decode_s + rest_s]


def _parts(trace: Trace, whole: SpanEnergies, busy: _Busy) -> tuple[Phase, Phase] | None:
    """Prefill and decode on one device."""
    rows, energies_j = [], []
    blur_j = 0.0
    for seen in trace.observed(busy.start_s, busy.end_s):
        outside_s = max(0.0, seen.end_s - seen.start_s - busy.windows.between(seen.start_s, seen.end_s))
        if outside_s > 0 and whole.idle_w is None:
            continue
        rows.append(busy.row(seen.start_s, seen.end_s))
        energies_j.append(seen.energy_j - (whole.idle_w or 0.0) * outside_s)
        blur_j = max(blur_j, seen.blur_j)
    found = fit(rows, energies_j, least_error=blur_j)
    if found is None:
        return None
    return _scaled(found, whole, busy)


def _scaled(found: Fit, whole: SpanEnergies, busy: _Busy) -> tuple[Phase, Phase] | None:
    """The fitted powers as joules, which together with those between the queries are those of the windows."""
    seconds = busy.row(busy.start_s, busy.end_s)
    fitted_j = sum(power_w * s for power_w, s in zip(found.values, seconds, strict=True))
    if fitted_j <= 0 or whole.energy_j <= 0:
        return None
    scale = whole.energy_j / fitted_j
    share = max(_LEAST, whole.uncertainty_j / whole.energy_j)
    edge_j = abs(found.values[0] - found.values[1]) * _EDGE_S * busy.queries
    prefill, decode = (
        Phase(power_w * s * scale, math.hypot(error_w * s * scale, power_w * s * scale * share, edge_j))
        for power_w, error_w, s in zip(found.values[:2], found.errors[:2], seconds[:2], strict=True)
    )
    return prefill, decode
