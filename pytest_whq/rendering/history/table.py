"""A history in the terminal: a line for each test, and for each rig where there are several."""

from collections import Counter
from collections.abc import Sequence

from pytest_whq.history.series import Series
from pytest_whq.model.history import KeptRun
from pytest_whq.rendering.columns import aligned, filled
from pytest_whq.rendering.history.rows import COLUMNS, Row, change_phrase, levels_phrase, rows_of, summary
from pytest_whq.rendering.names import fitted

_NAME_WIDTH = 60


def render(runs: Sequence[KeptRun], found: Sequence[Series], *, verbosity: int = 0) -> str:
    """The table; with ``verbosity`` every change of each series, too."""
    rows = rows_of(found)
    shown = filled(COLUMNS, rows)
    names = fitted([row.name for row in rows], _NAME_WIDTH)
    header = ["test", *(column.title for column in shown)]
    lines = [[name, *(cells[n] for cells in shown.values())] for n, name in enumerate(names)]
    table = aligned([header, *lines], ["left", *(column.align for column in shown)])
    several = {test for test, number in Counter(row.series.test for row in rows).items() if number > 1}
    text = [table[0]]
    for line, row in zip(table[1:], rows, strict=True):
        text.append(line)
        if row.series.test in several:
            text.append(f"   {row.rig}")
        text += [f"   {said}" for said in _changes(row)] if verbosity else []
    return "\n".join([*text, summary(runs, found)])


def _changes(row: Row) -> list[str]:
    return [f"{change_phrase(change)}: {levels_phrase(change)}" for change in row.series.changes or ()]
