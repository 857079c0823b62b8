"""The terminal report: a line for each test, then what the figures stand on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pytest_whq.model import REASONS, Record, Run
from pytest_whq.rendering.served_words import load_phrase, note_lines, phases_phrase, times_phrase
from pytest_whq.rendering.words import (
    budget_phrase,
    counts_phrase,
    fails,
    one_line,
    run_rig_phrase,
    short_names,
    shortened,
    spread,
    why_not_measured,
)
from pytest_whq.units import format_metric, format_percent, format_seconds

_GAP = "   "
_SHORTEST_NAME = 30


def render(run: Run, *, verbosity: int = 0, width: int = 80) -> str:
    """The section of ``run`` in the terminal, without its heading, in lines of about ``width``.

    Below verbosity 0 only tests that fail have a line; above it, each line tells tokens, power and
    time as well. Text from outside is escaped.
    """
    records = [record for record in run.records if verbosity >= 0 or fails(record)]
    notes = note_lines(records) if verbosity > 0 else ()
    lines = [*_test_lines(records, verbosity, width), *notes, *_not_judged_lines(run), _summary(run)]
    return "\n".join(lines)


def _test_lines(records: Sequence[Record], verbosity: int, width: int) -> Iterator[str]:
    reasons = [why_not_measured(record.measurement) for record in records]
    measured = [record for record, why in zip(records, reasons, strict=True) if why is None]
    rows = _table(measured, verbosity)
    names = short_names([record.test for record in records])
    room = width - len(_GAP) - max(map(len, rows), default=0)
    names = [shortened(name, max(_SHORTEST_NAME, room)) for name in names]
    longest = max(map(len, names), default=0)
    remaining = iter(rows)
    for name, why in zip(names, reasons, strict=True):
        text = next(remaining) if why is None else f"not measured: {why}"
        yield f"{name:<{longest}}{_GAP}{text}".rstrip()


def _table(records: Sequence[Record], verbosity: int) -> list[str]:
    """The figures of each record as one line, aligned; columns that say nothing are left out."""
    from tabulate import simple_separated_format, tabulate

    columns = [column for column in _COLUMNS if verbosity > 0 or not column.verbose]
    cells = {column: column.cells(records) for column in columns}
    shown = [column for column in columns if any(cells[column])]
    if not shown:
        return [""] * len(records)
    table = tabulate(
        list(zip(*(cells[column] for column in shown), strict=True)),
        tablefmt=simple_separated_format(_GAP),
        colalign=[column.align for column in shown],
        disable_numparse=True,
    )
    return table.split("\n")


class _Column(NamedTuple):
    align: str
    cells: Callable[[Sequence[Record]], list[str]]
    verbose: bool = False


def _each(cell: Callable[[Record], str]) -> Callable[[Sequence[Record]], list[str]]:
    return lambda records: [cell(record) for record in records]


def _wh_per_query(records: Sequence[Record]) -> list[str]:
    spreads = [spread(record.measurement) for record in records]
    percents = ["" if share is None else format_percent(share) for share in spreads]
    longest = max(map(len, percents), default=0)
    values = [format_metric("wh_per_query", record.measurement.wh_per_query) for record in records]
    return [
        f"{value} ± {percent:>{longest}}" if percent else value
        for value, percent in zip(values, percents, strict=True)
    ]


def _queries(record: Record) -> str:
    number, failed = record.measurement.queries, record.measurement.failed_queries
    return f"{number} {'query' if number == 1 else 'queries'}{f', {failed} failed' if failed else ''}"


def _tokens(record: Record) -> str:
    tokens = record.measurement.tokens
    if tokens.input_tokens is None and tokens.output_tokens is None:
        return "tokens unknown"
    return f"{_known(tokens.input_tokens)} in, {_known(tokens.output_tokens)} out"


def _known(number: int | None) -> str:
    return "?" if number is None else str(number)


def _energy_per_output_token(record: Record) -> str:
    value = record.measurement.j_per_output_token
    return "" if value is None else f"{format_metric('j_per_output_token', value)}/output token"


def _power(record: Record) -> str:
    return format_metric("average_power_w", record.measurement.average_power_w)


def _rounds(record: Record) -> str:
    number = len(record.measurement.rounds)
    return f"{number} {'round' if number == 1 else 'rounds'}"


def _seconds(record: Record) -> str:
    return format_seconds(record.measurement.duration_s)


def _compared(key: str, write: Callable[[Any, str], str]) -> Callable[[Sequence[Record]], list[str]]:
    """Cells of one field of the comparison; empty where it, or the comparison, is missing."""

    def cell(record: Record) -> str:
        comparison = record.comparison
        value = None if comparison is None else getattr(comparison, key)
        return "" if comparison is None or value is None else write(value, comparison.metric)

    return _each(cell)


def _warnings(record: Record) -> str:
    reasons = record.measurement.reasons
    return ", ".join(reason.code.replace("_", " ") for reason in reasons if not REASONS[reason.code])


_COLUMNS = (
    _Column("right", _wh_per_query),
    _Column("right", _each(_queries), verbose=True),
    _Column("right", _each(_tokens), verbose=True),
    _Column("right", _each(_energy_per_output_token), verbose=True),
    _Column("right", _each(_power), verbose=True),
    _Column("right", _each(_rounds), verbose=True),
    _Column("right", _each(_seconds), verbose=True),
    _Column("left", _each(lambda record: load_phrase(record.measurement)), verbose=True),
    _Column("left", _each(lambda record: times_phrase(record.measurement)), verbose=True),
    _Column("left", _each(lambda record: phases_phrase(record.measurement)), verbose=True),
    _Column("left", _each(lambda record: budget_phrase(record.budgets))),
    _Column("left", _compared("baseline", lambda value, metric: f"baseline {format_metric(metric, value)}")),
    _Column("right", _compared("change", lambda value, _: format_percent(value, signed=True))),
    _Column("left", _compared("outcome", lambda value, _: value.replace("_", " "))),
    _Column("left", _each(_warnings)),
)


def _not_judged_lines(run: Run) -> Iterator[str]:
    """A line for each reason why budgets were not judged, such as hardware that none names."""
    tests = Counter(
        why
        for record in run.records
        for why in {verdict.why for verdict in record.budgets if verdict.outcome == "not_judged"}
    )
    for why, number in tests.items():
        yield f"{_tests(number)} not judged: {one_line(why or 'no budget is for this hardware')}"


def _tests(number: int) -> str:
    return f"{number} test{'' if number == 1 else 's'}"


def _summary(run: Run) -> str:
    return f"{counts_phrase(run)} · {run_rig_phrase(run)}"
