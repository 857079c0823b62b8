"""The terminal report: a line for each test, then what the figures stand on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pytest_whq.model import REASONS, Record, Run, format_metric
from pytest_whq.rendering.columns import Column, aligned, filled
from pytest_whq.rendering.places.lines import footprint_lines
from pytest_whq.rendering.served_words import load_phrase, phases_phrase, times_phrase
from pytest_whq.rendering.words import (
    budget_phrase,
    counts_phrase,
    number_of,
    one_line,
    run_rig_phrase,
    short_names,
    shortened,
    spread,
)
from pytest_whq.units import format_percent, format_seconds

_GAP = "   "
_SHORTEST_NAME = 30


def render(run: Run, *, verbosity: int = 0, width: int = 80) -> str:
    """The section of ``run`` in the terminal, without its heading, in lines of about ``width``.

    Below verbosity 0 only tests that fail have a line; above it, each line tells tokens, power and
    time as well. Text from outside is escaped.
    """
    records = [record for record in run.records if verbosity >= 0 or record.verdict_fails]
    notes = _note_lines(records) if verbosity > 0 else ()
    lines = [*_test_lines(records, verbosity, width), *notes, *_not_judged_lines(run), _summary(run)]
    lines += footprint_lines(run.place, records)
    return "\n".join(lines)


def _test_lines(records: Sequence[Record], verbosity: int, width: int) -> Iterator[str]:
    reasons = [record.measurement.why_unmeasured for record in records]
    measured = [record for record, why in zip(records, reasons, strict=True) if why is None]
    rows = _table(measured, verbosity)
    names = short_names([record.test for record in records])
    room = width - len(_GAP) - max(map(len, rows), default=0)
    names = [shortened(name, max(_SHORTEST_NAME, room)) for name in names]
    longest = max(map(len, names), default=0)
    remaining = iter(rows)
    for name, why in zip(names, reasons, strict=True):
        text = next(remaining) if why is None else f"not measured: {one_line(why)}"
        yield f"{name:<{longest}}{_GAP}{text}".rstrip()


def _table(records: Sequence[Record], verbosity: int) -> list[str]:
    """The figures of each record as one line, aligned; columns that say nothing are left out."""
    columns = (_energy(records), *(_VERBOSE if verbosity > 0 else ()), *_VERDICTS)
    shown = filled(columns, records)
    if not shown:
        return [""] * len(records)
    rows = list(zip(*shown.values(), strict=True))
    return aligned(rows, [column.align for column in shown], _GAP)


def _energy(records: Sequence[Record]) -> Column[Record]:
    """Wh/query with its spread, which is as wide for each of ``records``, so that figures stand in line."""
    widest = max((len(_spread(record)) for record in records), default=0)

    def cell(record: Record) -> str:
        value = format_metric("wh_per_query", record.measurement.wh_per_query)
        share = _spread(record)
        return f"{value} ± {share:>{widest}}" if share else value

    return Column("Energy", cell)


def _spread(record: Record) -> str:
    share = spread(record.measurement)
    return "" if share is None else format_percent(share)


def _queries(record: Record) -> str:
    failed = record.measurement.failed_queries
    queries = number_of(record.measurement.queries, "query", "queries")
    return f"{queries}, {failed:,} failed" if failed else queries


def _tokens(record: Record) -> str:
    tokens = record.measurement.tokens
    if tokens.input_tokens is None and tokens.output_tokens is None:
        return "tokens unknown"
    return f"{_known(tokens.input_tokens)} in, {_known(tokens.output_tokens)} out"


def _known(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _energy_per_output_token(record: Record) -> str:
    value = record.measurement.j_per_output_token
    return "" if value is None else f"{format_metric('j_per_output_token', value)}/output token"


def _power(record: Record) -> str:
    return format_metric("average_power_w", record.measurement.average_power_w)


def _rounds(record: Record) -> str:
    return number_of(len(record.measurement.rounds), "round")


def _seconds(record: Record) -> str:
    return format_seconds(record.measurement.duration_s)


def _compared(key: str, write: Callable[[Any, str], str]) -> Callable[[Record], str]:
    """A cell of one field of the comparison; empty where it, or the comparison, is missing."""

    def cell(record: Record) -> str:
        comparison = record.comparison
        value = None if comparison is None else getattr(comparison, key)
        return "" if comparison is None or value is None else write(value, comparison.metric)

    return cell


def _baseline(value: float, metric: str) -> str:
    return f"baseline {format_metric(metric, value)}"


def _warnings(record: Record) -> str:
    reasons = record.measurement.reasons
    return ", ".join(reason.code.replace("_", " ") for reason in reasons if not REASONS[reason.code])


_VERBOSE = (
    Column("Queries", _queries),
    Column("Tokens", _tokens),
    Column("Per output token", _energy_per_output_token),
    Column("Power", _power),
    Column("Rounds", _rounds),
    Column("Time", _seconds),
    Column[Record]("Load", lambda record: load_phrase(record.measurement), "left"),
    Column[Record]("Times", lambda record: times_phrase(record.measurement), "left"),
    Column[Record]("Phases", lambda record: phases_phrase(record.measurement), "left"),
)

_VERDICTS = (
    Column[Record]("Budget", lambda record: budget_phrase(record.budgets), "left"),
    Column("Baseline", _compared("baseline", _baseline), "left"),
    Column("Change", _compared("change", lambda value, _: format_percent(value, signed=True))),
    Column("Verdict", _compared("meaning", lambda value, _: value.said), "left"),
    Column("Warnings", _warnings, "left"),
)


def _note_lines(records: Sequence[Record]) -> Iterator[str]:
    """A line for each note, with the name of its test."""
    noted = [record for record in records if record.measurement.notes]
    names = short_names([record.test for record in noted])
    for name, record in zip(names, noted, strict=True):
        for note in record.measurement.notes:
            yield f"{name}: {one_line(note)}"


def _not_judged_lines(run: Run) -> Iterator[str]:
    """A line for each reason why budgets were not judged, such as hardware that none names."""
    reasons = Counter(
        why
        for record in run.records
        for why in {verdict.why for verdict in record.budgets if not verdict.applies}
    )
    for why, number in reasons.items():
        tests = number_of(number, "test")
        yield f"{tests} not judged: {one_line(why or 'no budget is for this hardware')}"


def _summary(run: Run) -> str:
    return f"{counts_phrase(run)} · {run_rig_phrase(run)}"
