"""What a reader of a figure must know so as not to be misled by it, in sentences. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from pytest_whq.model import Measurement
from pytest_whq.model.serving import Load
from pytest_whq.queries.output_lengths import OutputLengths
from pytest_whq.units import format_percent

_NOTICED = 0.01
"""Shares below this are not worth a sentence."""

_FEW = 8
"""Fewer outputs of the same length may be so by chance."""


def notes_of(measurement: Measurement, outputs: OutputLengths) -> tuple[str, ...]:
    """The notes on ``measurement``, whose outputs had the lengths ``outputs``."""
    notes = [*_failures(measurement), *_counted(measurement, outputs), *_lengths(outputs)]
    if measurement.load is not None:
        notes += _load(measurement, measurement.load)
    return tuple(notes)


def broken_off(measurement: Measurement, after: str | None = None) -> Measurement:
    """``measurement``, which an interrupt has ended, with a note of ``after`` what; None is its rounds."""
    rounds = len(measurement.rounds)
    after = after or f"{rounds} {'round' if rounds == 1 else 'rounds'}"
    return replace(
        measurement, notes=(*measurement.notes, f"broken off after {after}: it would have gone on")
    )


def _failures(measurement: Measurement) -> Iterator[str]:
    if measurement.failures:
        kinds = ", ".join(f"{number} {kind}" for kind, number in measurement.failures.items())
        yield f"failed queries are not counted as queries, but their energy is counted: {kinds}"


def _counted(measurement: Measurement, outputs: OutputLengths) -> Iterator[str]:
    if measurement.tokenizer is not None:
        yield (
            f"the output tokens of {outputs.counted} of {outputs.queries} queries, whose replies are text, "
            f"were counted with {measurement.tokenizer}: what the server counted may differ"
        )


def _lengths(outputs: OutputLengths) -> Iterator[str]:
    if outputs.told >= _FEW and outputs.shortest == outputs.longest and outputs.asked == outputs.written > 0:
        yield (
            f"all {outputs.told} outputs are {outputs.longest} tokens long, which is max_tokens: "
            "as with ignore_eos, that is not how long users' answers are"
        )
        return
    if outputs.cut and outputs.cut >= _NOTICED * outputs.queries:
        yield f"max_tokens cut {outputs.cut} of {outputs.queries} outputs short"
    if outputs.limited and outputs.written < (1 - _NOTICED) * outputs.asked:
        yield (
            f"outputs are {outputs.written / outputs.limited:.0f} tokens long on average, "
            f"of the {outputs.asked / outputs.limited:.0f} that max_tokens allows"
        )


def _load(measurement: Measurement, load: Load) -> Iterator[str]:
    if load.ramp_up is None and load.concurrency > 1:
        yield (
            f"too few queries for a steady state at concurrency {load.concurrency}: "
            "the figure is of the whole load, from the first query to the last"
        )
    elif abs(load.edge_queries) > _NOTICED * (queries := measurement.queries or 0):
        more = "more" if load.edge_queries > 0 else "less"
        yield (
            f"the window holds the work of {abs(load.edge_queries):.1f} queries {more} than it counts "
            f"({format_percent(abs(load.edge_queries) / max(1, queries))}), "
            "because queries were under way at its edges: give more inputs for a closer figure"
        )
