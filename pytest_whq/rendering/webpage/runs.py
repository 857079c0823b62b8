"""The page of several runs side by side."""

from pytest_whq.rendering.runs_table import Cell, Table
from pytest_whq.rendering.webpage.charts import Mark, share_bar
from pytest_whq.rendering.webpage.environment import environment, own_file, policy_for


def page(table: Table) -> str:
    """``table`` as one HTML page that loads nothing, and whose every value its template escapes."""
    style, script = own_file("page.css"), own_file("page.js")
    return (
        environment()
        .get_template("runs.html")
        .render(policy=policy_for(style, script), style=style, script=script, table=table, bar=_bar)
    )


def _bar(cell: Cell) -> Mark | None:
    """How much of the worst of its line a run takes."""
    return None if cell.share is None else share_bar(cell.share)
