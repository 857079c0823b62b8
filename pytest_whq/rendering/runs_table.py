"""What several runs side by side say of each test, for every format."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pytest_whq.model import Record, Run, format_metric
from pytest_whq.rendering.grouping import against_best, best_of, figure
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.words import one_line, run_rig_phrase, spread
from pytest_whq.units import Prefix, format_percent, prefix_for


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure and how many times the best of its line it is; empty where the test or the figure is missing.

    ``value`` is Wh/query, and ``share`` that of the worst of its line, None without two of them.
    """

    figure: str
    against_best: str
    value: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A test, whole and short, and what each run says of it."""

    test: str
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the runs, a line for each test, and a sentence for each rig."""

    runs: tuple[str, ...]
    lines: tuple[Line, ...]
    rigs: tuple[str, ...]


def table_of(runs: Mapping[str, Run]) -> Table:
    """What all formats show of ``runs``; its texts are printable, and escaped for no page."""
    by_test = [{record.test: record for record in run.records} for run in runs.values()]
    tests = list(dict.fromkeys(test for records in by_test for test in records))
    lines = [[records.get(test) for records in by_test] for test in tests]
    known = (record for line in lines for record in line if record is not None)
    prefix = prefix_for([value for value in map(figure, known) if value])
    named = zip(tests, short_names(tests), lines, strict=True)
    return Table(
        tuple(_named(runs)),
        tuple(Line(test, name, tuple(_cells(line, prefix))) for test, name, line in named),
        tuple(_rigs(runs)),
    )


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


def _cells(line: Sequence[Record | None], prefix: Prefix) -> Iterator[Cell]:
    known = [record for record in line if record is not None]
    best = best_of(known)
    worst = max(value for value in map(figure, known) if value) if best else None
    for record in line:
        value = None if record is None else figure(record)
        ratio = against_best(value, best) if value and best else ""
        yield Cell(_figure(record, value, prefix), ratio, value, value / worst if value and worst else None)


def _figure(record: Record | None, value: float | None, prefix: Prefix) -> str:
    if record is None:
        return ""
    if value is None:
        return "not measured"
    share = spread(record.measurement)
    of_value = "" if share is None else f" ± {format_percent(share)}"
    return f"{format_metric('wh_per_query', value, prefix)}{of_value}"
