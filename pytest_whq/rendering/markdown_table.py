"""A table in Markdown, as long as there is room for it."""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from pytest_whq.rendering.columns import Column, Thing, filled


def table(
    rows: Sequence[Thing],
    columns: Sequence[Column[Thing]],
    room: int,
    left_out: Callable[[Sequence[Thing]], str],
) -> list[str]:
    """As many rows as fit into ``room`` bytes, less the columns in which all of them say nothing.

    ``left_out`` tells of the others. Cells are Markdown.
    """
    # A row takes more than its name, so that no more than these can fit.
    shown = filled(columns, rows[: room // 20])
    if not shown:
        return ["No test was measured."]
    header = [_line(column.title for column in shown), _line(_RULES[column.align] for column in shown)]
    body = fitting([_line(cells) for cells in zip(*shown.values(), strict=True)], room)
    left = rows[len(body) :]
    return [*header, *body, *(["", left_out(left)] if left else [])]


_RULES = {"left": ":--", "right": "--:"}


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def fitting(lines: Sequence[str], room: int) -> Sequence[str]:
    """The first of ``lines`` that take no more than ``room`` bytes together."""
    sizes = accumulate(len(line.encode()) + 1 for line in lines)
    return lines[: sum(size <= room for size in sizes)]
