"""What every renderer says in the same words of loads, times and notes."""

from collections.abc import Iterator, Sequence

from pytest_whq.model import Measurement, Record
from pytest_whq.rendering.words import one_line, short_names
from pytest_whq.serving import Distribution
from pytest_whq.units import format_quantity


def load_phrase(measurement: Measurement) -> str:
    """How many queries were in flight and how fast they were answered; empty where there was no load."""
    load = measurement.load
    if load is None:
        return ""
    sent = f"{load.concurrency} in flight"
    if load.rate_per_s is not None:
        sent = f"{load.rate_per_s:g}/s, {sent} at most"
    tokens = "" if load.output_tokens_per_s is None else f", {load.output_tokens_per_s:.3g} output tokens/s"
    return f"{sent}, {load.queries_per_s:.3g} queries/s{tokens}"


def times_phrase(measurement: Measurement) -> str:
    """Median and 99th percentile of the times that are known; empty where none is."""
    found = measurement.distributions
    if found is None:
        return ""
    named = {"first token": found.ttft_s, "per output token": found.tpot_s, "latency": found.latency_s}
    told = [f"{name} {_spread(times)}" for name, times in named.items() if times is not None]
    return ", ".join(told)


def _spread(times: Distribution) -> str:
    return f"{format_quantity(times.p50, 's')} (p99 {format_quantity(times.p99, 's')})"


def note_lines(records: Sequence[Record]) -> Iterator[str]:
    """A line for each note, with the name of its test."""
    noted = [record for record in records if record.measurement.notes]
    names = short_names([record.test for record in noted])
    for name, record in zip(names, noted, strict=True):
        for note in record.measurement.notes:
            yield f"{name}: {one_line(note)}"
