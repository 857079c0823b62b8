"""The footprint of a run's tests in several places, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_whq.model import Grid, Place, Record, Run, format_metric
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.places.amounts import TITLES, amounts_at, text_table
from pytest_whq.rendering.places.words import (
    NO_OVERHEAD,
    basis_sentences,
    overhead_phrase,
    price_phrase,
    source_phrase,
)
from pytest_whq.rendering.words import one_line
from pytest_whq.units import format_as_given, format_number


def render(run: Run, grids: Sequence[Grid], place: Place) -> str:
    """A table for each test of ``run``, the cleanest grid first; ``place`` has their price and overhead."""
    ordered = sorted(grids, key=lambda grid: grid.g_per_kwh)
    names = short_names([record.test for record in run.records])
    lines: list[str] = []
    for name, record in zip(names, run.records, strict=True):
        lines += [*_test(name, record, ordered, place), ""]
    overhead = NO_OVERHEAD if place.overhead is None else overhead_phrase(place.overhead)
    price = [] if place.price is None else [price_phrase(place.price)]
    return "\n".join([*lines, " · ".join([overhead, *price]), *basis_sentences(grids)])


def _test(name: str, record: Record, grids: Sequence[Grid], place: Place) -> Iterator[str]:
    why = record.measurement.why_unmeasured
    if why is not None:
        yield f"{name}   not measured: {one_line(why)}"
        return
    yield f"{name}, {format_metric('wh_per_query', record.measurement.wh_per_query)} per query"
    heads = ("grid", "", "source and year", "g/kWh", "times the first", *TITLES)
    yield text_table(heads, [_row(record, grid, grids[0], place) for grid in grids], left=range(3))


def _row(record: Record, grid: Grid, first: Grid, place: Place) -> list[str]:
    times = format_number(grid.g_per_kwh / first.g_per_kwh) if first.g_per_kwh else ""
    basis = "" if grid.basis in ("location-based", "as given") else f", {one_line(grid.basis)}"
    return [
        one_line(grid.name or "as given"),
        one_line(grid.where or ""),
        f"{source_phrase(grid.source, grid.year)}{basis}",
        format_as_given(grid.g_per_kwh),
        times,
        *amounts_at(replace(place, grid=grid), record),
    ]
