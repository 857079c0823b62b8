"""The report as one HTML page that loads nothing, and runs no script but the one that sorts its table."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import NamedTuple

from pytest_whq.model import Record, Run
from pytest_whq.rendering.rows import Row, baseline_phrase, measured_phrase, rows_of
from pytest_whq.rendering.served_words import load_phrase, phases_of, times_of
from pytest_whq.rendering.webpage.charts import budget_bar, change_mark, power_chart, reach_of, rounds_chart
from pytest_whq.rendering.webpage.sweeps import section, sweeps_of
from pytest_whq.rendering.words import (
    counts_of,
    counts_phrase,
    one_line,
    run_rig_phrase,
    shortened,
    tightest_budget,
)
from pytest_whq.units import format_metric, format_seconds

_MOST_CHARTS = 200
"""Tests with a part of their own; the others have their line in the table."""

_NAME = 120
_TONES = ("bad", "unsure", "good", "plain")


def render(run: Run) -> str:
    """The page of ``run``: one self-contained file."""
    rows = rows_of(run)
    style, script = _part("page.css"), _part("page.js")
    return Template(_part("page.html")).substitute(
        policy=escape(_policy(style, script)),
        title=escape(f"Energy: {counts_phrase(run)}"),
        style=style,
        script=script,
        rig=escape(run_rig_phrase(run)),
        counts=_counts(run),
        made=_made(run, rows),
        table=_table(rows),
        sweeps="\n".join(section(sweep) for sweep in sweeps_of(run)),
        tests="\n".join(_section(number, row) for number, row in enumerate(rows[:_MOST_CHARTS])),
        footer=_footer(run, len(rows)),
    )


def _part(name: str) -> str:
    return (files("pytest_whq.rendering.webpage") / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy that allows this style and this script and nothing else."""
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _counts(run: Run) -> str:
    return ", ".join(
        f'<span class="{_COUNT_TONES.get(what, "quiet")}">{number:,} {what}</span>'
        for what, number in counts_of(run).items()
    )


_COUNT_TONES = {
    **dict.fromkeys(("over budget", "with a budget unmeasured", "regressed"), "bad"),
    "improved": "good",
}


def _made(run: Run, rows: Sequence[Row]) -> str:
    baseline = baseline_phrase([row.record for row in rows])
    made = escape(measured_phrase(run))
    return f"{made}<br>Baseline: {escape(baseline)}" if baseline else made


def _footer(run: Run, tests: int) -> str:
    rig = run.rig
    facts = [rig.host, rig.platform, f"Python {rig.python}"]
    facts += [f"driver {rig.driver}"] if rig.driver is not None else []
    line = " · ".join(one_line(fact) for fact in facts)
    left = tests - _MOST_CHARTS
    more = f"{left:,} more tests have their line in the table only.<br>" if left > 0 else ""
    return f"{more}{escape(line)}"


class _Column(NamedTuple):
    """A column of the table: the cell's HTML, its text for sorting, and its class."""

    title: str
    cell: Callable[[Row], str]
    sort: Callable[[Row], object]
    kind: str


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return "<p>No test was measured.</p>"
    reach = reach_of(row.record.comparison for row in rows if row.record.comparison is not None)
    columns = [column for column in _columns(reach) if any(column.cell(row) for row in rows)]
    heads = "".join(
        f'<th scope="col" class="{column.kind}"><button type="button">{column.title}</button></th>'
        for column in columns
    )
    body = "\n".join(_line(number, row, columns) for number, row in enumerate(rows))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _line(number: int, row: Row, columns: Sequence[_Column]) -> str:
    name = escape(shortened(row.name, _NAME))
    if number < _MOST_CHARTS:
        name = f'<a href="#t{number}">{name}</a>'
    cells = "".join(
        f'<td class="{column.kind}" data-label="{column.title}" data-v="{_sorted_by(column.sort(row))}">'
        f"{column.cell(row)}</td>"
        for column in columns[1:]
    )
    failing = ' class="failing"' if row.tone == "bad" else ""
    return f'<tr{failing}><td class="name">{name}</td>{cells}</tr>'


def _sorted_by(value: object) -> str:
    return "" if value is None else str(value)


def _columns(reach: float) -> list[_Column]:
    def change(row: Row) -> str:
        if not row.change or row.record.comparison is None:
            return ""
        mark = change_mark(row.record.comparison, reach)
        return f'<span class="{row.change_tone}">{mark}<span>{row.change}</span></span>'

    return [
        _Column("Test", lambda row: row.name, lambda row: None, "name"),
        _Column("Energy", lambda row: row.value, _metric, "number"),
        _Column("95 %", lambda row: row.spread, lambda row: row.share, "number quiet"),
        _Column("Baseline", lambda row: row.baseline, _compared("baseline"), "number"),
        _Column("Change", change, _compared("change"), "number change"),
        _Column("Budget", _budget, _used, "budget"),
        _Column("Verdict", _verdict, lambda row: _TONES.index(row.tone), "verdict"),
    ]


def _metric(row: Row) -> float | None:
    return row.record.measurement.wh_per_query if row.value else None


def _compared(name: str) -> Callable[[Row], object]:
    return lambda row: None if row.record.comparison is None else getattr(row.record.comparison, name)


def _used(row: Row) -> float | None:
    verdict = tightest_budget(row.record.budgets)
    return None if verdict is None or verdict.value is None else verdict.value / verdict.limit


def _budget(row: Row) -> str:
    verdict = tightest_budget(row.record.budgets)
    if verdict is None:
        return ""
    tone = "bad" if verdict.fails else "quiet"
    return f'<span class="{tone}">{escape(row.budget)}{budget_bar(verdict)}</span>'


def _verdict(row: Row) -> str:
    return f'<span class="{row.tone}">{escape(row.verdict)}</span>' if row.verdict else ""


def _section(number: int, row: Row) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in row.notes)
    facts = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in _facts(row.record)
    )
    measurement = row.record.measurement
    charts = rounds_chart(measurement, row.record.comparison)
    if measurement.power is not None:
        charts = power_chart(measurement.power) + charts
    return "\n".join(
        part
        for part in (
            f'<section id="t{number}"><h2>{escape(one_line(row.record.test))}</h2>',
            f'<p class="said">{_said(row)}</p>',
            f'<ul class="notes">{notes}</ul>' if notes else "",
            f"<dl>{facts}</dl>" if facts else "",
            f'<div class="charts">{charts}</div>' if charts else "",
            "</section>",
        )
        if part
    )


def _said(row: Row) -> str:
    figure = f"{row.value} {row.spread}".strip()
    change = f"{row.change} against {row.baseline} ({row.interval})" if row.change else ""
    said = [escape(text) for text in (figure, change) if text]
    return " · ".join([*said, *([_verdict(row)] if row.verdict else [])])


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    measurement, tokens = record.measurement, record.measurement.tokens
    if not measurement.rounds:
        return
    failed = f", {measurement.failed_queries:,} failed" if measurement.failed_queries else ""
    yield "Queries", f"{measurement.queries:,}{failed}"
    yield "Rounds", f"{len(measurement.rounds):,}"
    yield "Time", format_seconds(measurement.duration_s)
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
