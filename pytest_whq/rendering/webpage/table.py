"""The table of the HTML page, which sorts by each of its columns."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pytest_whq.rendering.columns import Column, filled
from pytest_whq.rendering.rows import TONES, Row
from pytest_whq.rendering.webpage.charts import Key, Mark, budget_bar, change_keys, change_mark, reach_of
from pytest_whq.rendering.words import tightest_budget


class Sortable(NamedTuple):
    """A column as the page shows it.

    ``kind`` is the class of its cells and ``key`` what they are sorted by, None where that is not
    known. ``tone`` is the class of the text in a cell, and ``mark`` what is drawn beside a text of some tone.
    """

    column: Column[Row]
    kind: str
    key: Callable[[Row], float | None]
    tone: Callable[[Row], str] = lambda row: ""
    mark: Callable[[Row], Mark | None] = lambda row: None


def columns_of(rows: Sequence[Row]) -> list[Sortable]:
    """The columns beside the name that say something of any of ``rows``."""
    reach = reach_of(row.record.comparison for row in rows if row.record.comparison is not None)

    def mark(row: Row) -> Mark | None:
        return None if row.record.comparison is None else change_mark(row.record.comparison, reach)

    columns = [
        Sortable(Column("Energy", lambda row: row.value), "number", _wh_per_query),
        Sortable(Column("95 %", lambda row: row.spread), "number quiet", lambda row: row.share),
        Sortable(Column("Baseline", lambda row: row.baseline), "number", _compared("baseline")),
        Sortable(
            Column("Change", lambda row: row.change),
            "number change",
            _compared("change"),
            lambda row: row.change_tone,
            mark,
        ),
        Sortable(Column("Budget", lambda row: row.budget), "budget", _used, _budget_tone, _bar),
        Sortable(
            Column("Verdict", lambda row: row.verdict),
            "verdict",
            lambda row: TONES.index(row.tone),
            lambda row: row.tone,
        ),
    ]
    shown = filled([sortable.column for sortable in columns], rows)
    return [sortable for sortable in columns if sortable.column in shown]


def keys_of_changes(rows: Sequence[Row]) -> tuple[Key, ...]:
    """What is drawn beside the changes of ``rows``, empty where there are none."""
    compared = [found for row in rows if (found := row.record.comparison) and found.change is not None]
    return change_keys(reach_of(compared)) if compared else ()


def _wh_per_query(row: Row) -> float | None:
    return row.record.measurement.wh_per_query if row.value else None


def _compared(name: str) -> Callable[[Row], float | None]:
    def key(row: Row) -> float | None:
        value: float | None = getattr(row.record.comparison, name, None)
        return value

    return key


def _used(row: Row) -> float | None:
    verdict = tightest_budget(row.record.budgets)
    return None if verdict is None or verdict.value is None else verdict.value / verdict.limit


def _budget_tone(row: Row) -> str:
    verdict = tightest_budget(row.record.budgets)
    return "bad" if verdict is not None and verdict.fails else "quiet"


def _bar(row: Row) -> Mark | None:
    verdict = tightest_budget(row.record.budgets)
    return None if verdict is None else budget_bar(verdict)
