"""Several runs side by side: a line for each test, each figure relative to the best of its line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath

from pytest_whq.model import Record, Run, format_metric
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.markdown_text import code, escaped, unbroken
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.words import one_line, run_rig_phrase, spread
from pytest_whq.units import Prefix, format_percent, prefix_for

_GAP = "   "


def terminal(runs: Mapping[str, Run]) -> str:
    """The table of ``runs``, by the names of their files, and what each was measured with."""
    header, *rows = _rows(runs)
    lines = aligned([header, *rows], ["left", *["right"] * 2 * len(runs)], _GAP)
    return "\n".join([*lines, *_rigs(runs)])


def markdown(runs: Mapping[str, Run]) -> str:
    """The same for a page in Markdown."""
    header, *rows = _rows(runs)
    cells = [[code(name), *(unbroken(cell) for cell in figures)] for name, *figures in rows]
    lines = [[escaped(title) for title in header], [":--", *["--:"] * 2 * len(runs)], *cells]
    table = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*table, "", *(f"- {escaped(line)}" for line in _rigs(runs)), ""])


FORMATS: Mapping[str, Callable[[Mapping[str, Run]], str]] = {"terminal": terminal, "markdown": markdown}
"""In which formats several runs can stand side by side."""


def _named(runs: Mapping[str, Run]) -> list[str]:
    """The names of the files, with their folders where those alone tell them apart."""
    stems = [PurePath(path).stem for path in runs]
    return [
        one_line(stem if stems.count(stem) == 1 else path) for path, stem in zip(runs, stems, strict=True)
    ]


def _rigs(runs: Mapping[str, Run]) -> Iterator[str]:
    """A line for each rig, with the names of the runs that it measured."""
    found: dict[str, list[str]] = {}
    for name, run in zip(_named(runs), runs.values(), strict=True):
        found.setdefault(run_rig_phrase(run), []).append(name)
    return (f"{', '.join(names)}: {rig}" for rig, names in found.items())


def _rows(runs: Mapping[str, Run]) -> list[list[str]]:
    """A header, and a row for each test: its name, then figure and ratio of each run."""
    by_test = [{record.test: record for record in run.records} for run in runs.values()]
    tests = list(dict.fromkeys(test for records in by_test for test in records))
    lines = [[records.get(test) for records in by_test] for test in tests]
    prefix = prefix_for([value for line in lines for value in map(_value, line) if value])
    header = ["test", *(cell for name in _named(runs) for cell in (name, ""))]
    return [
        header,
        *([name, *_cells(line, prefix)] for name, line in zip(short_names(tests), lines, strict=True)),
    ]


def _cells(line: Sequence[Record | None], prefix: Prefix) -> list[str]:
    known = [value for value in map(_value, line) if value]
    best = min(known, default=None) if len(known) > 1 else None
    cells = []
    for record in line:
        value = _value(record)
        ratio = "" if not best or not value else "best" if value == best else f"{value / best:.2f} x"
        cells += [_figure(record, value, prefix), ratio]
    return cells


def _value(record: Record | None) -> float | None:
    """Wh/query where it stands."""
    if record is None or record.measurement.why_unmeasured is not None:
        return None
    return record.measurement.wh_per_query


def _figure(record: Record | None, value: float | None, prefix: Prefix) -> str:
    if record is None:
        return ""
    if value is None:
        return "not measured"
    share = spread(record.measurement)
    of_value = "" if share is None else f" ± {format_percent(share)}"
    return f"{format_metric('wh_per_query', value, prefix)}{of_value}"
