"""The page of several runs side by side."""

from pytest_whq.rendering.runs_table import Cell, Table
from pytest_whq.rendering.webpage.charts import Mark, share_bar
from pytest_whq.rendering.webpage.environment import page_of


def page(table: Table) -> str:
    """``table`` as one HTML page that loads nothing, and whose every value its template escapes."""
    return page_of("runs.html", ["page.css"], "page.js", table=table, bar=_bar)


def _bar(cell: Cell) -> Mark | None:
    """How much of the worst of its line a run takes."""
    return None if cell.share is None else share_bar(cell.share)
