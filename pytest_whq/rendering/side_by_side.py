"""Several runs side by side: a line for each test, each figure relative to the best of its line."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from pytest_whq.model import Run
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.markdown_text import code, escaped, unbroken
from pytest_whq.rendering.names import fitted
from pytest_whq.rendering.runs_table import Table, table_of

_GAP = "   "
_INDENT = "    "
_SHORTEST_NAME = 24


def terminal(runs: Mapping[str, Run], width: int = 80) -> str:
    """The table of ``runs``, by the names of their files, and what each was measured with.

    Where it would be wider than ``width``, each run's figure stands in a line of its own below the test.
    """
    table = table_of(runs)
    lines = _in_columns(table, width)
    if table.lines and max(map(len, lines)) > width:
        lines = list(_below_tests(table, width))
    return "\n".join([*lines, *table.rigs])


def _in_columns(table: Table, width: int) -> list[str]:
    header, *rows = _texts(table)
    figures = [max(map(len, column)) for column in zip(*(row[1:] for row in (header, *rows)), strict=True)]
    room = width - sum(figures) - len(_GAP) * len(figures)
    names = fitted([row[0] for row in rows], max(_SHORTEST_NAME, room))
    rows = [[name, *row[1:]] for name, row in zip(names, rows, strict=True)]
    return aligned([header, *rows], ["left", *["right"] * 2 * len(table.runs)], _GAP)


def _below_tests(table: Table, width: int) -> Iterator[str]:
    figures = max(len(cell.figure) + len(cell.against_best) for line in table.lines for cell in line.cells)
    runs = fitted(table.runs, max(_SHORTEST_NAME, width - len(_INDENT) - 2 * len(_GAP) - figures))
    names = fitted([line.name for line in table.lines], width)
    cells = [
        (name, run, cell.figure, cell.against_best)
        for name, line in zip(names, table.lines, strict=True)
        for run, cell in zip(runs, line.cells, strict=True)
        if cell.figure
    ]
    rows = aligned([row for _, *row in cells], ["left", "right", "right"], _GAP)
    for name, below in groupby(zip(cells, rows, strict=True), key=lambda pair: pair[0][0]):
        yield name
        yield from (f"{_INDENT}{row}" for _, row in below)


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
