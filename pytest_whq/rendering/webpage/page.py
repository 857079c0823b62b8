"""The report as one HTML page that loads nothing, and runs no script but the one that sorts its table."""

from collections.abc import Iterator
from typing import NamedTuple

from pytest_whq.model import Record, Rig, Run, format_metric
from pytest_whq.rendering.gap_words import missing
from pytest_whq.rendering.headline import COUNT_TONES, worst_first
from pytest_whq.rendering.rows import Row, baseline_phrase, measured_phrase, rows_of
from pytest_whq.rendering.served_words import load_phrase, phases_of, times_of
from pytest_whq.rendering.webpage.charts import HEIGHT, WIDTH, Chart, power_chart, rounds_chart
from pytest_whq.rendering.webpage.environment import page_of
from pytest_whq.rendering.webpage.footprint import footprint_part
from pytest_whq.rendering.webpage.sweeps import sweeps_of
from pytest_whq.rendering.webpage.table import columns_of, keys_of_changes
from pytest_whq.rendering.webpage.variants import variants_part
from pytest_whq.rendering.words import counts_phrase, run_rig_phrase
from pytest_whq.units import format_seconds

_MOST_CHARTS = 200
"""Tests with a part of their own; the others have their line in the table."""


def render(run: Run, group_by: str | None = None) -> str:
    """The page of ``run``: one self-contained file, whose every value its templates escape.

    ``group_by`` sets variants side by side below the table.
    """
    rows = rows_of(run)
    return page_of(
        "page.html",
        ["page.css"],
        "page.js",
        name=run.name,
        title=f"Energy{f' of {run.name}' if run.name else ''}: {counts_phrase(run)}",
        rig=run_rig_phrase(run),
        counts=worst_first(run),
        tones=COUNT_TONES,
        measured=measured_phrase(run),
        baseline=baseline_phrase(run.records),
        rows=rows,
        columns=columns_of(rows),
        change_keys=keys_of_changes(rows),
        gaps=missing(run.gaps),
        variants=variants_part(rows, group_by),
        footprint=footprint_part(run.place, rows),
        sweeps=sweeps_of(run),
        sections=[_section(number, row) for number, row in enumerate(rows[:_MOST_CHARTS])],
        facts=list(_rig_facts(run.rig)),
        chart_size=(WIDTH, HEIGHT),
    )


def _rig_facts(rig: Rig) -> Iterator[str]:
    yield from rig.machine
    if rig.driver is not None:
        yield f"driver {rig.driver}"


class _Section(NamedTuple):
    """A test's own part of the page."""

    number: int
    row: Row
    figures: list[str]
    facts: list[tuple[str, str]]
    charts: list[Chart]


def _section(number: int, row: Row) -> _Section:
    measurement = row.record.measurement
    figures = (
        f"{row.value} {row.spread}".strip(),
        f"{row.change} against {row.baseline} ({row.interval})" if row.change else "",
    )
    charts = (
        None if measurement.power is None else power_chart(measurement.power),
        rounds_chart(measurement, row.record.comparison),
    )
    return _Section(
        number,
        row,
        [figure for figure in figures if figure],
        list(_facts(row.record)),
        [chart for chart in charts if chart is not None],
    )


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    measurement, tokens = record.measurement, record.measurement.tokens
    if not measurement.rounds and measurement.imported is None:
        return
    failed = f", {measurement.failed_queries:,} failed" if measurement.failed_queries else ""
    yield "Queries", f"{_count(measurement.queries)}{failed}"
    yield "Rounds", f"{len(measurement.rounds):,}"
    yield "Time", "unknown" if measurement.duration_s is None else format_seconds(measurement.duration_s)
    yield "Input tokens", _count(tokens.input_tokens)
    yield "Output tokens", _count(tokens.output_tokens)
    for name, metric in _METRICS:
        yield name, format_metric(metric, measurement.metric(metric))
    if said := load_phrase(measurement):
        yield "Load", said
    for name, said in times_of(measurement).items():
        yield _TIMES[name], said
    for name, said in phases_of(measurement).items():
        yield name.capitalize(), said
    yield "Method", measurement.method or "unknown"


_TIMES = {
    "first token": "Time to first token",
    "per output token": "Time per output token",
    "latency": "Latency",
}

_METRICS = (
    ("Per output token", "j_per_output_token"),
    ("Per 1000 tokens", "wh_per_1k_tokens"),
    ("Net of idle, per query", "net_wh_per_query"),
    ("Average power", "average_power_w"),
    ("Total", "wh_total"),
)


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
