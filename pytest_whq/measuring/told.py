"""What readings tell of the spans that a meter has measured, once the level after them is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError, sum_known
from pytest_whq.measuring.idle_devices import Rest
from pytest_whq.measuring.query_pace import pace_notes
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import PowerCurve, Reason
from pytest_whq.model.serving import Phases
from pytest_whq.queries.phase_log import joined_edges
from pytest_whq.queries.tally import Tally


@dataclass(frozen=True, slots=True)
class Told:
    """Energies and levels by device id, and the parts of the spans; ``why_not`` where there is no energy.

    ``beside_j`` are the joules of each span beside those measured, ``phases`` those of prefill and decode.
    """

    why_not: Reason | None = None
    energies: Mapping[str, SpanEnergies] = field(default_factory=dict)
    beside_j: tuple[float | None, ...] = ()
    rests: Mapping[str, Rest | None] = field(default_factory=dict)
    phases: Phases | str | None = None
    power: PowerCurve | None = None
    notes: tuple[str, ...] = ()


def told_of(
    spans: Sequence[Span],
    beside: Sequence[Span],
    tallies: Sequence[Tally],
    sampler: Sampler,
    since_s: float,
    until_s: float,
) -> Told:
    """What ``sampler`` has read from ``since_s`` to ``until_s`` tells of ``spans``, and of those beside them.

    ``tallies`` are those of the spans.
    """
    # Drawn even where the energy is not told: it shows why.
    power = sampler.power_curve(spans, since_s, until_s)
    if (error := sampler.error_since(since_s)) is not None:
        return Told(Reason(error.code, str(error)), power=power)
    if not spans:
        return Told(power=power)
    try:
        energies = sampler.energies(spans, beside)
        edges_s = joined_edges(tally.phases for tally in tallies)
        return Told(
            energies=energies,
            beside_j=tuple(
                map(sum_known, zip(*(found.beside_j for found in energies.values()), strict=True))
            ),
            rests=sampler.rests((*spans, *beside), since_s, until_s),
            phases=sampler.phases(spans, energies, edges_s),
            power=power,
            notes=_notes(spans, beside, tallies, sampler),
        )
    except UnmeasurableError as unmeasurable:
        return Told(unmeasurable.reason, power=power)


def _notes(
    spans: Sequence[Span], beside: Sequence[Span], tallies: Sequence[Tally], sampler: Sampler
) -> tuple[str, ...]:
    notes = sampler.notes_since(min(span.start_s for span in spans))
    if len(spans) == 1 and not beside:
        # Rounds and loads have starts of their own.
        notes += pace_notes(spans[0], tallies[-1].queries, sampler.looks_every_s)
    return notes
