"""Loads by their concurrency: what a query costs, and how long it takes, of several models side by side."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple

from pytest_whq.model import Record, Run, format_metric
from pytest_whq.model.serving import Distribution
from pytest_whq.rendering.columns import Column, filled
from pytest_whq.rendering.metric_columns import metric_column
from pytest_whq.rendering.webpage.charts import Chart
from pytest_whq.rendering.webpage.points import Point, Series, points_chart
from pytest_whq.rendering.words import one_line, spread
from pytest_whq.units import format_number, format_quantity


class Line(NamedTuple):
    """Records of one load by rising concurrency; ``name`` is what tells it from others in its sweep."""

    name: str
    records: tuple[Record, ...]


class Row(NamedTuple):
    """A record, and the name of its line."""

    line: str
    record: Record


class Sweep(NamedTuple):
    """The lines of one test function; in ``name`` a star stands for what differs."""

    name: str
    lines: tuple[Line, ...]

    @property
    def chart(self) -> Chart:
        """Wh/query by concurrency."""
        places = sorted({_concurrency(record) for line in self.lines for record in line.records})
        return points_chart(
            "Energy per query, by queries in flight",
            [f"{place:,}" for place in places],
            [Series(line.name, [_point(record, places) for record in line.records]) for line in self.lines],
            lambda value: format_metric("wh_per_query", value),
        )

    @property
    def rows(self) -> list[Row]:
        """The rows of its table: by concurrency, so that lines stand side by side."""
        rows = [Row(line.name, record) for line in self.lines for record in line.records]
        return sorted(rows, key=lambda row: _concurrency(row.record))

    @property
    def columns(self) -> list[Column[Row]]:
        """The columns of its table."""
        names = [_LINE] if len(self.lines) > 1 else []
        per_query = metric_column("Per query", "wh_per_query", self.rows, attrgetter("record.measurement"))
        return [*names, *filled([_IN_FLIGHT, per_query, *_COLUMNS], self.rows)]


def sweeps_of(run: Run) -> list[Sweep]:
    """The sweeps of a run: those of one test function, such as of several models, are lines of one."""
    lines: dict[str, list[Line]] = {}
    for line in _lines_of(run):
        lines.setdefault(line.name.partition("[")[0], []).append(line)
    return [_sweep(found) for found in lines.values()]


def _sweep(lines: Sequence[Line]) -> Sweep:
    if len(lines) == 1:
        return Sweep(lines[0].name, tuple(lines))
    told = [Line(_parameters(line.name), line.records) for line in lines]
    return Sweep(f"{lines[0].name.partition('[')[0]}[*]", tuple(told))


def _parameters(name: str) -> str:
    """The parameters of a test without its concurrency, for which a star stands."""
    inner = name.partition("[")[2].removesuffix("]")
    return re.sub(r"^\*-|-\*(?=-|$)", "", inner) or name


def _lines_of(run: Run) -> list[Line]:
    """Tests whose ids differ in a number only, which is their load's concurrency."""
    names = {record.test: _names(record) for record in run.records if record.measurement.load is not None}
    shared = Counter(name for of_test in names.values() for name in of_test)
    groups: dict[str, dict[int, Record]] = {}
    for record in run.records:
        if names.get(record.test) and record.measurement.why_unmeasured is None:
            name = max(names[record.test], key=lambda name: shared[name])
            groups.setdefault(name, {})[_concurrency(record)] = record
    return [
        Line(name, tuple(group[concurrency] for concurrency in sorted(group)))
        for name, group in groups.items()
        if len(group) > 1
    ]


def _point(record: Record, places: Sequence[int]) -> Point:
    place = places.index(_concurrency(record))
    return Point(place, record.measurement.wh_per_query or 0.0, spread(record.measurement))


def _median(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        times: Distribution | None = getattr(row.record.measurement.distributions, name, None)
        return "" if times is None else format_quantity(times.p50, "s")

    return cell


def _rate(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        rate: float | None = getattr(row.record.measurement.load, name, None)
        return "" if rate is None else format_number(rate)

    return cell


_LINE = Column[Row]("Load", lambda row: one_line(row.line), "left")

_IN_FLIGHT = Column[Row]("In flight", lambda row: f"{_concurrency(row.record):,}")

_COLUMNS = (
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
