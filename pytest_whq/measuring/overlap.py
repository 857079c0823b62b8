"""Windows of one test that overlap and lie in no other: together they are one stretch of work."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_whq.joules.spans import Span
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import DeviceState, Measurement
from pytest_whq.queries.tally import Tally


@dataclass(frozen=True, slots=True)
class Stretch:
    """What windows that overlap took together; ``tallies`` count each of their queries once."""

    spans: tuple[Span, ...]
    tallies: tuple[Tally, ...]
    measurement: Measurement
    states: tuple[DeviceState, ...] = ()

    def overlaps(self, other: "Stretch") -> bool:
        """Whether some time is in both."""
        return any(
            mine.start_s < its.end_s and its.start_s < mine.end_s
            for mine in self.spans
            for its in other.spans
        )


def stretch_of(meter: Meter, measurement: Measurement) -> Stretch:
    """What ``meter``, which has ended, took by itself. Queries that another counts, too, are the other's."""
    tallies = tuple(tally if tally.around is None else Tally() for tally in meter.tallies)
    return Stretch(tuple(meter.spans), tallies, measurement, tuple(meter.states))


def lies_in_another(meter: Meter) -> bool:
    """Whether one of those around ``meter`` measures all that it has measured."""
    around = meter.around
    while around is not None and not around.is_open and not around.spans:  # A load's may not have begun.
        around = around.around
    if around is None or around.is_open or not meter.spans:
        return around is not None
    return meter.spans[-1].end_s <= around.spans[-1].end_s


def union(stretches: Sequence[Stretch]) -> tuple[tuple[Span, ...], tuple[Tally, ...]]:
    """The time that is in any of ``stretches``, once, and the queries of each part of it."""
    spans: list[Span] = []
    tallies: list[Tally] = []
    parts = [part for one in stretches for part in zip(one.spans, one.tallies, strict=True)]
    for span, tally in sorted(parts, key=lambda part: part[0].start_s):
        if spans and span.start_s <= spans[-1].end_s:
            spans[-1] = Span(spans[-1].start_s, max(spans[-1].end_s, span.end_s))
        else:
            spans.append(span)
            tallies.append(Tally())
        tallies[-1].include(tally)
    return tuple(spans), tuple(tallies)
