"""Loads that differ in their concurrency only: what a query costs, and how long it takes, by concurrency."""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from pytest_whq.model import Record, Run, format_metric
from pytest_whq.model.serving import Distribution
from pytest_whq.rendering.columns import Column, filled
from pytest_whq.rendering.webpage.charts import Chart, Point, points_chart
from pytest_whq.rendering.words import spread
from pytest_whq.units import format_number, format_quantity


class Sweep(NamedTuple):
    """Records of one load by rising concurrency; in ``name`` a star stands for that."""

    name: str
    records: tuple[Record, ...]

    @property
    def chart(self) -> Chart:
        """Wh/query by concurrency."""
        points = [
            Point(
                f"{_concurrency(record):,}",
                record.measurement.wh_per_query or 0.0,
                spread(record.measurement),
            )
            for record in self.records
        ]
        return points_chart(
            "Energy per query, by queries in flight",
            points,
            lambda value: format_metric("wh_per_query", value),
        )

    @property
    def columns(self) -> list[Column[Record]]:
        """The columns of its table, of a line for each concurrency."""
        return list(filled(_COLUMNS, self.records))


def sweeps_of(run: Run) -> list[Sweep]:
    """The sweeps of a run: tests whose ids differ in a number only, which is their load's concurrency."""
    names = {record.test: _names(record) for record in run.records if record.measurement.load is not None}
    shared = Counter(name for of_test in names.values() for name in of_test)
    groups: dict[str, dict[int, Record]] = {}
    for record in run.records:
        if names.get(record.test) and record.measurement.why_unmeasured is None:
            name = max(names[record.test], key=lambda name: shared[name])
            groups.setdefault(name, {})[_concurrency(record)] = record
    return [
        Sweep(name, tuple(group[concurrency] for concurrency in sorted(group)))
        for name, group in groups.items()
        if len(group) > 1
    ]


def _wh_per_query(value: float | None) -> str:
    return format_metric("wh_per_query", value)


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
    Column[Record]("In flight", lambda record: f"{_concurrency(record):,}"),
    Column[Record](
        "Per query", lambda record: format_metric("wh_per_query", record.measurement.wh_per_query)
    ),
    Column("Queries/s", _rate("queries_per_s")),
    Column("Output tokens/s", _rate("output_tokens_per_s")),
    Column("First token", _median("ttft_s")),
    Column("Per output token", _median("tpot_s")),
    Column("Latency", _median("latency_s")),
)


def _concurrency(record: Record) -> int:
    assert record.measurement.load is not None  # Without one it is in no sweep.
    return record.measurement.load.concurrency


def _names(record: Record) -> list[str]:
    """The test's id with a star in place of its concurrency, once for each place where it stands."""
    test = record.test
    places = re.finditer(rf"(?<!\d){_concurrency(record)}(?!\d)", test)
    return [f"{test[: found.start()]}*{test[found.end() :]}" for found in places]
