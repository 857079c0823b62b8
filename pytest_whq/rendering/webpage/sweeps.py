"""Loads that differ in their concurrency only: what a query costs, and how long it takes, by concurrency."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from pytest_whq.model import Record, Run
from pytest_whq.model.serving import Distribution
from pytest_whq.rendering.webpage.charts import Point, points_chart
from pytest_whq.rendering.words import one_line, spread, why_not_measured
from pytest_whq.units import format_metric, format_number, format_quantity


class Sweep(NamedTuple):
    """Records of one load by rising concurrency; in ``name`` a star stands for that."""

    name: str
    records: tuple[Record, ...]


def sweeps_of(run: Run) -> list[Sweep]:
    """The sweeps of a run: tests whose ids differ in a number only, which is their load's concurrency."""
    names = {record.test: _names(record) for record in run.records if record.measurement.load is not None}
    shared = Counter(name for of_test in names.values() for name in of_test)
    groups: dict[str, dict[int, Record]] = {}
    for record in run.records:
        if names.get(record.test) and why_not_measured(record.measurement) is None:
            name = max(names[record.test], key=lambda name: shared[name])
            groups.setdefault(name, {})[_concurrency(record)] = record
    return [
        Sweep(name, tuple(group[concurrency] for concurrency in sorted(group)))
        for name, group in groups.items()
        if len(group) > 1
    ]


def section(sweep: Sweep) -> str:
    """The sweep as a part of the HTML page: a chart of Wh/query and a table beside it."""
    points = [
        Point(
            f"{_concurrency(record):,}",
            record.measurement.wh_per_query or 0.0,
            spread(record.measurement),
        )
        for record in sweep.records
    ]
    chart = points_chart(
        "Energy per query, by queries in flight", points, lambda value: format_metric("wh_per_query", value)
    )
    columns = [column for column in _COLUMNS if any(column.cell(record) for record in sweep.records)]
    heads = "".join(f'<th scope="col" class="number">{column.title}</th>' for column in columns)
    body = "".join(_line(record, columns) for record in sweep.records)
    name = escape(one_line(sweep.name))
    return (
        f'<section class="sweep"><h2>{name}</h2>'
        f'<div class="charts">{chart}<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
        "</div></section>"
    )


def _line(record: Record, columns: "Sequence[_Column]") -> str:
    cells = "".join(
        f'<td class="number" data-label="{column.title}">{column.cell(record)}</td>' for column in columns
    )
    return f"<tr>{cells}</tr>"


class _Column(NamedTuple):
    title: str
    cell: Callable[[Record], str]


def _median(name: str) -> Callable[[Record], str]:
    def cell(record: Record) -> str:
        times: Distribution | None = getattr(record.measurement.distributions, name, None)
        return "" if times is None else format_quantity(times.p50, "s")

    return cell


def _rate(name: str) -> Callable[[Record], str]:
    def cell(record: Record) -> str:
        rate: float | None = getattr(record.measurement.load, name, None)
        return "" if rate is None else format_number(rate)

    return cell


_COLUMNS = (
    _Column("In flight", lambda record: f"{_concurrency(record):,}"),
    _Column("Per query", lambda record: format_metric("wh_per_query", record.measurement.wh_per_query)),
    _Column("Queries/s", _rate("queries_per_s")),
    _Column("Output tokens/s", _rate("output_tokens_per_s")),
    _Column("First token", _median("ttft_s")),
    _Column("Per output token", _median("tpot_s")),
    _Column("Latency", _median("latency_s")),
)


def _concurrency(record: Record) -> int:
    assert record.measurement.load is not None  # Without one it is in no sweep.
    return record.measurement.load.concurrency


def _names(record: Record) -> list[str]:
    """The test's id with a star in place of its concurrency, once for each place where it stands."""
    test = record.test
    places = re.finditer(rf"(?<!\d){_concurrency(record)}(?!\d)", test)
    return [f"{test[: found.start()]}*{test[found.end() :]}" for found in places]
