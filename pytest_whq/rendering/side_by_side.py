"""Several runs side by side: a line for each test, each figure relative to the best of its line."""

from collections.abc import Callable, Mapping

from pytest_whq.model import Run
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.markdown_text import code, escaped, unbroken
from pytest_whq.rendering.names import fitted
from pytest_whq.rendering.runs_table import Table, table_of

_GAP = "   "
_SHORTEST_NAME = 24


def terminal(runs: Mapping[str, Run], width: int = 80) -> str:
    """The table of ``runs``, by the names of their files, and what each was measured with."""
    table = table_of(runs)
    header, *rows = _texts(table)
    figures = [max(map(len, column)) for column in zip(*(row[1:] for row in (header, *rows)), strict=True)]
    room = width - sum(figures) - len(_GAP) * len(figures)
    names = fitted([row[0] for row in rows], max(_SHORTEST_NAME, room))
    rows = [[name, *row[1:]] for name, row in zip(names, rows, strict=True)]
    lines = aligned([header, *rows], ["left", *["right"] * 2 * len(runs)], _GAP)
    return "\n".join([*lines, *table.rigs])


def markdown(runs: Mapping[str, Run]) -> str:
    """The same for a page in Markdown."""
    table = table_of(runs)
    header, *rows = _texts(table)
    cells = [[code(name), *(unbroken(cell) for cell in figures)] for name, *figures in rows]
    lines = [[escaped(title) for title in header], [":--", *["--:"] * 2 * len(runs)], *cells]
    written = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*written, "", *(f"- {escaped(line)}" for line in table.rigs), ""])


def html(runs: Mapping[str, Run]) -> str:
    """The same as one HTML page."""
    from pytest_whq.rendering.webpage.runs import page

    return page(table_of(runs))


FORMATS: Mapping[str, Callable[[Mapping[str, Run]], str]] = {
    "terminal": terminal,
    "markdown": markdown,
    "html": html,
}
"""In which formats several runs can stand side by side."""


def _texts(table: Table) -> list[list[str]]:
    """A header, and a row for each test: its name, then figure and ratio of each run."""
    header = ["test", *(cell for name in table.runs for cell in (name, ""))]
    rows = (
        [line.name, *(text for cell in line.cells for text in (cell.figure, cell.against_best))]
        for line in table.lines
    )
    return [header, *rows]
