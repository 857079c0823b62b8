"""Spans, their queries and their joules, put together as a Measurement. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from pytest_whq.interval import effective_count, relative_drift, serial_correlation
from pytest_whq.joules.phases import with_tokens
from pytest_whq.joules.spans import HOPELESS, Span, SpanEnergies, sum_known, uncertainty_together_j
from pytest_whq.measuring.notes import notes_of
from pytest_whq.measuring.plan import half_widths95
from pytest_whq.measuring.prompt_cache import cache_notes, cached_reasons
from pytest_whq.model import DeviceEnergy, Measurement, Method, PowerCurve, Reason, Round
from pytest_whq.model.reasons import ESTIMATED, NO_INTERVAL, failures
from pytest_whq.model.serving import Load, Phases
from pytest_whq.queries.tally import Tally
from pytest_whq.tokens import sum_tokens
from pytest_whq.tokens.tokenizer import Tokenizer
from pytest_whq.units import format_percent, format_percents, format_quantity, format_seconds


def measurement_of(
    spans: Sequence[Span],
    tallies: Sequence[Tally],
    energies: Mapping[str, SpanEnergies],
    why_not: Reason | None,
    *,
    conditions: Sequence[Reason] = (),
    estimated: bool = False,
    repeated: bool = False,
    precision: float,
    power: PowerCurve | None = None,
    phases: Phases | str | None = None,
    notes: Sequence[str] = (),
) -> Measurement:
    """The measurement of ``spans``, of which each has its tally; no ``energies`` means not measured.

    ``conditions`` are what the devices' state and level give; ``repeated`` when the spans are rounds of
    the same call; ``precision`` is the ratio above which the figure counts as imprecise. ``phases`` may be
    the sentence that says why they cannot be told apart; ``notes`` are those of the source.
    """
    parts = list(energies.values()) if why_not is None else []
    rounds = rounds_of(spans, tallies, parts)
    duration_s = sum(span.duration_s for span in spans)
    plain = Measurement(
        method=poorest("estimate" if estimated else part.method for part in parts),
        energy_j=sum_known(one.energy_j for one in rounds),
        net_energy_j=sum_known(one.net_energy_j for one in rounds),
        uncertainty_j=uncertainty_together_j(parts) if parts else None,
        net_uncertainty_j=_net_uncertainty_j(parts, duration_s),
        duration_s=duration_s,
        queries=sum(tally.queries for tally in tallies),
        failed_queries=sum(tally.failed_queries for tally in tallies),
        tokens=sum_tokens([tally.tokens for tally in tallies if tally.queries]),
        devices=tuple(DeviceEnergy(id_, part.energy_j) for id_, part in energies.items()) if parts else (),
        rounds=rounds,
    )
    widths = half_widths95(rounds) if repeated else {}
    intervals = {
        metric: (value * (1 - width), value * (1 + width))
        for metric, width in widths.items()
        if (value := plain.metric(metric)) is not None
    }
    reasons = [why_not] if why_not is not None else []
    reasons += [ESTIMATED] if estimated else []
    counted = list(_count_reasons(plain, tallies))
    # What fails at once is too short for its sensor as well: what there is to mend comes first.
    reasons = [*counted, *reasons] if plain.failed_queries and not plain.queries else [*reasons, *counted]
    reasons += _precision_reasons(plain, widths.get("wh_per_query"), repeated, precision)
    reasons += conditions
    reasons += _drift_reasons(rounds, precision) if repeated and not estimated else ()
    return replace(
        plain,
        interval95=intervals,
        reasons=one_of_each(reasons),
        power=power,
        phases=with_tokens(phases, plain.tokens) if isinstance(phases, Phases) else None,
        notes=(*notes, phases) if isinstance(phases, str) else tuple(notes),
    )


def detailed(
    measurement: Measurement,
    tallies: Sequence[Tally],
    load: Load | None = None,
    tokenizer: Tokenizer | None = None,
    *,
    max_cached: float = 1.0,
) -> Measurement:
    """``measurement`` with what the tallies of its spans tell beside their counts.

    ``tokenizer`` is the one that has counted where replies were text, ``max_cached`` the share of the input
    tokens that may come from a cache.
    """
    if len(tallies) == 1:
        every = tallies[0]
    else:
        every = Tally()
        for tally in tallies:
            every.include(tally)
    found = replace(
        measurement,
        failures=dict(every.failures.most_common()),
        distributions=every.log.distributions(),
        load=load,
        tokenizer=tokenizer.name if tokenizer is not None and every.outputs.counted else None,
        reasons=one_of_each([*measurement.reasons, *cached_reasons(measurement, max_cached)]),
    )
    notes = (*notes_of(found, every.outputs), *cache_notes(found, every.inputs), *measurement.notes)
    return replace(found, notes=notes)


def rounds_of(
    spans: Sequence[Span], tallies: Sequence[Tally], parts: Sequence[SpanEnergies]
) -> tuple[Round, ...]:
    """Each span with the joules of all devices in it, which are unknown where there are no ``parts``."""
    idle_w = sum_known(part.idle_w for part in parts)
    rounds = []
    for number, (span, tally) in enumerate(zip(spans, tallies, strict=False)):
        energy_j = sum(part.energies_j[number] for part in parts) if parts else None
        known = energy_j is not None and idle_w is not None
        rounds.append(
            Round(
                energy_j=energy_j,
                net_energy_j=energy_j - idle_w * span.duration_s if known else None,  # type: ignore[operator]
                duration_s=span.duration_s,
                queries=tally.queries,
                input_tokens=tally.tokens.input_tokens,
                output_tokens=tally.tokens.output_tokens,
            )
        )
    return tuple(rounds)


def _net_uncertainty_j(parts: Sequence[SpanEnergies], duration_s: float) -> float | None:
    if not parts or any(part.idle_w is None for part in parts):
        return None
    return uncertainty_together_j(parts, duration_s)


def poorest(methods: Iterable[Method]) -> Method | None:
    """The poorest of ``methods``, which decides how far a sum of them can be trusted."""
    return max(methods, key=get_args(Method).index, default=None)


def one_of_each(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The first of ``reasons`` for each code: a figure has one sentence for each."""
    unique: dict[str, Reason] = {}
    for reason in reasons:
        unique.setdefault(reason.code, reason)
    return tuple(unique.values())


def _count_reasons(plain: Measurement, tallies: Sequence[Tally]) -> Iterator[Reason]:
    if (failed := failures(plain.queries, plain.failed_queries)) is not None:
        yield failed
    if not plain.queries:
        yield Reason("no_queries", "no query succeeded, or none was recorded with window.record")
    elif plain.total_tokens is None:
        told = (tally.unreadable for tally in tallies if tally.unreadable is not None)
        yield Reason("tokens_missing", next(told, "the replies do not tell their tokens"))


def _precision_reasons(
    plain: Measurement, width: float | None, repeated: bool, precision: float
) -> Iterator[Reason]:
    if plain.energy_j is None or plain.uncertainty_j is None:
        return
    if plain.uncertainty_j > HOPELESS * plain.energy_j:
        yield Reason(
            "window_too_short",
            f"the window lasted {format_seconds(plain.duration_s or 0.0)}, too short for its sensor: "
            f"± {format_quantity(2 * plain.uncertainty_j, 'J')} "
            f"on {format_quantity(plain.energy_j, 'J')}",
        )
        return
    if not repeated:
        width = 2 * plain.uncertainty_j / plain.energy_j if plain.energy_j > 0 else None
    if width is not None and width <= precision:
        return
    what = NO_INTERVAL if repeated else "the energy is uncertain"
    asked = format_percent(precision)
    if width is not None:
        found, asked = format_percents(width, precision)
        what = f"the 95 % interval is ± {found}" if repeated else f"the energy is uncertain by ± {found}"
    yield Reason("imprecise", f"{what}, wider than the ± {asked} asked for")


def _drift_reasons(rounds: Sequence[Round], precision: float) -> Iterator[Reason]:
    per_query_j = [one.energy_j / one.queries for one in rounds if one.energy_j is not None and one.queries]
    drift = relative_drift(per_query_j)
    if drift is not None and abs(drift) > precision:
        yield Reason(
            "thermal_drift",
            f"Wh/query moved by {format_percent(drift, signed=True)} from the first round to the last: "
            "warm up longer with warmup",
        )
        return
    mean_j = sum(per_query_j) / len(per_query_j) if per_query_j else 0.0
    residuals_j = [value - mean_j for value in per_query_j]
    together = effective_count(residuals_j) < len(residuals_j)
    if together and _spread(residuals_j) > precision * mean_j:
        alike = serial_correlation(residuals_j)
        yield Reason(
            "thermal_drift",
            f"each round was like the one before it (correlation {alike:.1f}), as where heat carries over: "
            "the interval is wider for it, and may not be wide enough",
        )


def _spread(residuals: Sequence[float]) -> float:
    return math.sqrt(sum(residual * residual for residual in residuals) / len(residuals))
