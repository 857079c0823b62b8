"""A history as one HTML page that loads nothing: the table, and a chart for each test."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pytest_whq.history.series import Series
from pytest_whq.model.history import KeptRun
from pytest_whq.rendering.columns import Column, filled
from pytest_whq.rendering.history.chart import series_chart
from pytest_whq.rendering.history.rows import COLUMNS, Row, change_phrase, levels_phrase, rows_of, summary
from pytest_whq.rendering.webpage.charts import HEIGHT, WIDTH, Chart
from pytest_whq.rendering.webpage.environment import page_of
from pytest_whq.units import number_of

_MOST_CHARTS = 200
"""Series with a part of their own; the others have their line in the table."""


class _Part(NamedTuple):
    """A series' own part of the page."""

    row: Row
    unmeasured: str
    changes: list[str]
    chart: Chart | None


class _Sortable(NamedTuple):
    column: Column[Row]
    key: Callable[[Row], float | str | None]


def render(runs: Sequence[KeptRun], found: Sequence[Series], note: str = "") -> str:
    """The page, whose every value its template escapes; ``note`` is what else there is to know."""
    rows = rows_of(found)
    shown = filled(COLUMNS, rows)
    return page_of(
        "history.html",
        ["page.css", "history.css"],
        "page.js",
        said=summary(runs, found),
        note=note,
        rows=rows,
        columns=[_Sortable(column, _KEYS[column.title]) for column in shown],
        parts=[_part(row) for row in rows[:_MOST_CHARTS]],
        chart_size=(WIDTH, HEIGHT),
    )


def _part(row: Row) -> _Part:
    series = row.series
    changes = [f"{change_phrase(change)}: {levels_phrase(change)}" for change in series.changes or ()]
    unmeasured = f"{number_of(series.unmeasured, 'run')} without a figure" if series.unmeasured else ""
    return _Part(row, unmeasured, changes, series_chart(series))


_KEYS: dict[str, Callable[[Row], float | str | None]] = {
    "runs": lambda row: len(row.series.points),
    "without figure": lambda row: row.series.unmeasured,
    "latest": lambda row: row.series.points[-1].wh_per_query if row.series.points else None,
    "since first": lambda row: (
        row.series.levels[-1][2] / row.series.levels[0][2] if row.since_first else None
    ),
    "budget used": lambda row: row.used,
    "last change": lambda row: row.series.changes[-1].created if row.series.changes else None,
}
