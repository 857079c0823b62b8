"""The table of workloads: what a query costs beside how fast it is answered, as muxup's article has it."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import StringIO
from typing import Any

from pytest_whq.errors import SettingError
from pytest_whq.model import Record, Run
from pytest_whq.rendering.acceptance import named
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.csvtable import guarded
from pytest_whq.rendering.markdown_text import escaped
from pytest_whq.rendering.names import shortened
from pytest_whq.rendering.words import one_line, run_rig_phrase
from pytest_whq.rendering.workload_columns import COLUMNS, SHOWN, Column, Value
from pytest_whq.storing.plain_data import json_of

_WIDEST = 80
_MOST_NOTES = 12
"""So many notes stand below the table in the terminal; of more, how many there are."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which columns and rows are shown, and in which order; ``columns`` is empty for those of the article."""

    columns: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    sort: str | None = None
    falling: bool = False

    @classmethod
    def of(cls, columns: str | None, where: Sequence[str], sort: str | None) -> "Selection":
        """What the options say; SettingError where they name no column."""
        named = tuple(part.strip() for part in (columns or "").split(",") if part.strip())
        conditions = [tuple(part.strip() for part in one.partition("=")[::2]) for one in where]
        chosen = cls(
            named,
            tuple((name, glob) for name, glob in conditions),
            (sort or "").lstrip("-") or None,
            bool(sort and sort.startswith("-")),
        )
        for name in (*named, *(name for name, _ in chosen.where), *((chosen.sort,) if chosen.sort else ())):
            if name not in COLUMNS:
                raise SettingError(f"The table has no column {name!r}: it knows {', '.join(COLUMNS)}.")
        return chosen

    def rows(self, run: Run) -> list[Record]:
        """The records of ``run`` that are asked for; those without a value to sort by come last."""
        found = [record for record in run.records if all(_matches(record, *one) for one in self.where)]
        if self.sort is None:
            return found
        value = COLUMNS[self.sort].value
        known = [record for record in found if value(record) is not None]
        known.sort(key=lambda record: _order(value(record)), reverse=self.falling)
        return known + [record for record in found if value(record) is None]

    def shown(self, records: Sequence[Record], otherwise: Iterable[str] = SHOWN) -> dict[str, Column]:
        """The columns that are asked for, else those of ``otherwise`` in which a row says something."""
        if self.columns:
            return {name: COLUMNS[name] for name in self.columns}
        return {
            name: COLUMNS[name] for name in otherwise if any(COLUMNS[name].text(record) for record in records)
        }


def _order(value: Value) -> tuple[float, str]:
    return (0.0, value.lower()) if isinstance(value, str) else (value or 0.0, "")


def _matches(record: Record, name: str, glob: str) -> bool:
    """Whether the value of a column fits: a number by what it is, text by a glob on it or its last part."""
    value = COLUMNS[name].value(record)
    if value is None:
        return glob == ""
    if not isinstance(value, str):
        try:
            return float(glob) == value
        except ValueError:
            return fnmatchcase(f"{value:g}", glob)
    text, wanted = value.lower(), glob.lower()
    return any(fnmatchcase(part, wanted.replace("[", "[[]")) for part in (text, text.rpartition("/")[2]))


def workload_table(run: Run, selection: Selection, form: str) -> str:
    """The table of ``run`` in one of the formats of `FORMATS`."""
    records = selection.rows(run)
    if form == "html":
        from pytest_whq.rendering.webpage.pareto import page

        return page(run, records, selection.shown(records))
    return _FORMATS[form](run, records, selection.shown(records, COLUMNS if form in _FOR_MACHINES else SHOWN))


def _terminal(run: Run, records: Sequence[Record], columns: dict[str, Column]) -> str:
    if not records or not columns:
        return "No row to show."
    heading = [column.title for column in columns.values()]
    body = [[shortened(column.text(record), _WIDEST) for column in columns.values()] for record in records]
    align = ["right" if column.is_number else "left" for column in columns.values()]
    notes = list(_note_lines(records))
    if len(notes) > _MOST_NOTES:
        notes = [f"{len(notes):,} notes on these figures: --format json, or whq show -v RUN"]
    return "\n".join(
        [*aligned([heading, *body], align), *notes, f"{_count(records)} · {run_rig_phrase(run)}"]
    )


def _note_lines(records: Sequence[Record]) -> Iterator[str]:
    """A line for each note, with the names of the rows that it is on unless it is on all."""
    said: dict[str, list[str]] = {}
    for record in records:
        for note in record.measurement.notes:
            said.setdefault(note, []).append(record.test)
    for note, tests in said.items():
        yield one_line(note) if len(tests) == len(records) else f"{named(tests)}: {one_line(note)}"


def _count(records: Sequence[Record]) -> str:
    return f"{len(records):,} row{'' if len(records) == 1 else 's'}"


def _markdown(run: Run, records: Sequence[Record], columns: dict[str, Column]) -> str:
    lines = [
        f"| {' | '.join(column.title for column in columns.values())} |",
        f"| {' | '.join('--:' if column.is_number else ':--' for column in columns.values())} |",
    ]
    for record in records:
        cells = (_markdown_cell(column, record) for column in columns.values())
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", escaped(run_rig_phrase(run)), ""])


def _markdown_cell(column: Column, record: Record) -> str:
    text = column.text(record)
    return text if column.is_number or not text else escaped(text)


def _csv(run: Run, records: Sequence[Record], columns: dict[str, Column]) -> str:
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(list(columns))
    writer.writerows([guarded(column.value(record)) for column in columns.values()] for record in records)
    return text.getvalue()


def _json(run: Run, records: Sequence[Record], columns: dict[str, Column]) -> str:
    rows: list[dict[str, Any]] = [
        {
            **{name: column.value(record) for name, column in columns.items()},
            "notes": [one_line(note) for note in record.measurement.notes],
        }
        for record in records
    ]
    return json_of({"tool": run.tool, "created": run.created, "rows": rows}, indent=1) + "\n"


_FORMATS = {"terminal": _terminal, "markdown": _markdown, "csv": _csv, "json": _json}
_FOR_MACHINES = ("csv", "json")
"""These tell all that there is, where no columns are asked for."""

FORMATS = (*_FORMATS, "html")
"""The forms in which the table can be had."""
