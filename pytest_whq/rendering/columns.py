"""Columns of the tables in every report, and lines of text that stand below one another."""

from collections.abc import Callable, Sequence
from typing import Generic, Literal, NamedTuple, TypeVar

Thing = TypeVar("Thing")


class Column(NamedTuple, Generic[Thing]):
    """A column: its title where a table has a header, and what it says of a thing, "" where nothing."""

    title: str
    cell: Callable[[Thing], str]
    align: Literal["left", "right"] = "right"


def filled(columns: Sequence[Column[Thing]], things: Sequence[Thing]) -> dict[Column[Thing], list[str]]:
    """Those of ``columns`` that say something of any of ``things``, each with its cells."""
    cells = {column: [column.cell(thing) for thing in things] for column in columns}
    return {column: texts for column, texts in cells.items() if any(texts)}


def aligned(rows: Sequence[Sequence[str]], align: Sequence[str] | None = None, gap: str = "   ") -> list[str]:
    """The ``rows`` as lines whose cells stand below one another, to the left unless ``align`` says else."""
    from tabulate import simple_separated_format, tabulate

    table = tabulate(rows, tablefmt=simple_separated_format(gap), colalign=align, disable_numparse=True)
    return [line.rstrip() for line in table.split("\n")]
