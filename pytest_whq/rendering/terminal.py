"""The terminal report: a line for each test, then what the figures stand on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat

from pytest_whq.model import REASONS, BudgetVerdict, Gap, Record, Run, format_metric
from pytest_whq.rendering.acceptance import named
from pytest_whq.rendering.columns import Column, aligned, filled
from pytest_whq.rendering.gap_words import missing
from pytest_whq.rendering.names import first_few, fitted, short_names
from pytest_whq.rendering.places.lines import footprint_lines
from pytest_whq.rendering.served_words import load_phrase, phases_phrase, times_phrase
from pytest_whq.rendering.words import (
    budget_phrase,
    counts_phrase,
    number_of,
    one_line,
    per_phrase,
    run_rig_phrase,
    spread,
)
from pytest_whq.units import Prefix, format_percent, format_seconds, prefix_for

_GAP = "   "
_INDENT = "    "
_SHORTEST_NAME = 30


def render(run: Run, *, verbosity: int = 0, width: int = 80) -> str:
    """The section of ``run`` in the terminal, without its heading, in lines of about ``width``.

    Below verbosity 0 only tests that fail have a line; above it, tokens, power and time are told as
    well, in columns where they fit, else in lines of their own. Text from outside is escaped.
    """
    records = [record for record in run.records if verbosity >= 0 or record.verdict_fails]
    notes = _note_lines(records) if verbosity > 0 else ()
    lines = [*_test_lines(records, verbosity, width), *notes, *_not_judged_lines(run)]
    lines += [*gap_lines(run.gaps, verbosity), _summary(run)]
    lines += footprint_lines(run.place, records)
    return "\n".join(lines)


def _test_lines(records: Sequence[Record], verbosity: int, width: int) -> Iterator[str]:
    """A header, where there are figures under it, and a line for each test or several."""
    measured = [record for record in records if record.measurement.why_unmeasured is None]
    names = short_names([record.test for record in records])
    table = _table(measured, _VERBOSE if verbosity > 0 else ())
    details: Iterator[list[str]] = repeat([])
    if verbosity > 0 and max(map(len, names), default=0) + len(_GAP) + max(map(len, table)) > width:
        details = (_details(record, width) for record in measured)
        table = _table(measured)
    header, *rows = table
    names = fitted(names, max(_SHORTEST_NAME, width - len(_GAP) - max(map(len, table))))
    longest = max(map(len, names), default=0)
    if rows and verbosity >= 0:
        yield f"{'test':<{longest}}{_GAP}{header}"
    remaining = iter(rows)
    for name, record in zip(names, records, strict=True):
        why = record.measurement.why_unmeasured
        text = next(remaining) if why is None else f"not measured: {one_line(why)}"
        yield f"{name:<{longest}}{_GAP}{text}".rstrip()
        if why is None:
            yield from next(details)


def _table(records: Sequence[Record], more: Sequence[Column[Record]] = ()) -> list[str]:
    """A header and the figures of each record as one line, aligned, without columns that say nothing."""
    # One prefix for all figures that are compared with one another: µWh below mWh look larger.
    prefix = prefix_for([value for record in records if (value := record.measurement.wh_per_query)])
    columns = (_energy(records, prefix), *more, _BUDGET, _baseline(prefix), *_VERDICTS)
    shown = filled(columns, records)
    if not shown:
        return [""]
    header = [column.title for column in shown]
    rows = [header, *zip(*shown.values(), strict=True)]
    return aligned(rows, [column.align for column in shown], _GAP)


def _details(record: Record, width: int) -> list[str]:
    """What the columns of `_VERBOSE` say, in lines of their own."""
    said = [text for column in _VERBOSE if (text := column.cell(record))]
    lines: list[str] = []
    for text in said:
        if lines and len(lines[-1]) + len(_GAP) + len(text) <= width:
            lines[-1] += f"{_GAP}{text}"
        else:
            lines.append(f"{_INDENT}{text}")
    return lines


def _energy(records: Sequence[Record], prefix: Prefix) -> Column[Record]:
    """Wh/query with its spread, which is as wide for each of ``records``, so that figures stand in line."""
    widest = max((len(_spread(record)) for record in records), default=0)

    def cell(record: Record) -> str:
        value = format_metric("wh_per_query", record.measurement.wh_per_query, prefix)
        share = _spread(record)
        return f"{value} ± {share:>{widest}}" if share else value

    return Column("Wh/query ± 95 %" if widest else "Wh/query", cell)


def _spread(record: Record) -> str:
    share = spread(record.measurement)
    return "" if share is None else format_percent(share)


def _queries(record: Record) -> str:
    failed = record.measurement.failed_queries
    if record.measurement.queries is None:
        return "queries unknown"
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
    value = record.measurement.average_power_w
    return "" if value is None else format_metric("average_power_w", value)


def _rounds(record: Record) -> str:
    rounds = len(record.measurement.rounds)
    return number_of(rounds, "round") if rounds else ""


def _seconds(record: Record) -> str:
    duration_s = record.measurement.duration_s
    return "" if duration_s is None else format_seconds(duration_s)


def _baseline(prefix: Prefix) -> Column[Record]:
    def cell(record: Record) -> str:
        comparison = record.comparison
        if comparison is None or comparison.baseline is None:
            return ""
        same = comparison.metric == "wh_per_query"
        value = format_metric(comparison.metric, comparison.baseline, prefix if same else None)
        return f"baseline {value}{per_phrase(comparison.metric)}"

    return Column("baseline", cell, "left")


def _change(record: Record) -> str:
    change = None if record.comparison is None else record.comparison.change
    return "" if change is None else format_percent(change, signed=True)


def _verdict(record: Record) -> str:
    return "" if record.comparison is None else record.comparison.meaning.said


def _warnings(record: Record) -> str:
    reasons = record.measurement.reasons
    return ", ".join(reason.code.replace("_", " ") for reason in reasons if not REASONS[reason.code])


_VERBOSE = (
    Column("queries", _queries),
    Column("tokens", _tokens),
    Column("per output token", _energy_per_output_token),
    Column("power", _power),
    Column("rounds", _rounds),
    Column("time", _seconds),
    Column[Record]("load", lambda record: load_phrase(record.measurement), "left"),
    Column[Record]("times", lambda record: times_phrase(record.measurement), "left"),
    Column[Record]("phases", lambda record: phases_phrase(record.measurement), "left"),
)

_BUDGET = Column[Record]("budget used", lambda record: budget_phrase(record.budgets), "left")

_VERDICTS = (
    Column("change", _change),
    Column("verdict", _verdict, "left"),
    Column("warnings", _warnings, "left"),
)


def _note_lines(records: Sequence[Record]) -> Iterator[str]:
    """A line for each reason and note of what was measured, with the names of its tests."""
    said: dict[str, list[str]] = {}
    for record in records:
        if record.measurement.why_unmeasured is None:
            reasons = (reason.sentence.rstrip(".") for reason in record.measurement.reasons)
            for sentence in filter(None, (*reasons, *record.measurement.notes)):
                said.setdefault(sentence, []).append(record.test)
    for sentence, tests in said.items():
        yield f"{named(tests)}: {one_line(sentence)}"


def _not_judged_lines(run: Run) -> Iterator[str]:
    """A line for each reason why budgets were not judged, such as hardware that none names."""
    reasons = Counter(
        (_unjudged(verdict), verdict.why)
        for record in run.records
        for verdict in dict.fromkeys(record.budgets)
        if not verdict.settled and (not verdict.fails or record.measurement.why_unmeasured is None)
    )
    for (what, why), number in reasons.items():
        yield f"{number_of(number, 'test')} {what}: {one_line(why or 'no budget is for this hardware')}"


def gap_lines(gaps: Sequence[Gap], verbosity: int = 0) -> Iterator[str]:
    """A line for each thing that is missing; what the user left out is no news where little is to be said."""
    for one in missing([gap for gap in gaps if verbosity >= 0 or gap.kind != "not_selected"]):
        yield f"{one.said}: {first_few(one.names)}"


def _unjudged(verdict: BudgetVerdict) -> str:
    return f"with {verdict.metric} unmeasured" if verdict.fails else "not judged"


def _summary(run: Run) -> str:
    return f"{counts_phrase(run)} · {run_rig_phrase(run)}"
