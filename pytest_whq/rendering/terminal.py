"""The terminal report: a line for each test, then what the figures stand on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pytest_whq.model import BudgetVerdict, Gap, Record, Run
from pytest_whq.rendering.acceptance import named
from pytest_whq.rendering.alike import merged
from pytest_whq.rendering.arrangement import Arrangement
from pytest_whq.rendering.columns import Column, aligned, filled
from pytest_whq.rendering.gap_words import missing
from pytest_whq.rendering.grouping import best_of, not_grouped
from pytest_whq.rendering.names import first_few, fitted, short_names
from pytest_whq.rendering.places.lines import footprint_lines
from pytest_whq.rendering.terminal_columns import (
    COLUMNS,
    USUAL,
    VERBOSE,
    best_column,
    energy_column,
    in_one_unit,
)
from pytest_whq.rendering.words import counts_phrase, one_line, run_rig_phrase
from pytest_whq.units import number_of, prefix_for

_GAP = "   "
_INDENT = "    "
_SHORTEST_NAME = 24
_WHOLE_NAME = 30
"""So much of a name matters more than that warnings stand in its line."""

_GIVES_WAY = ("warnings", "baseline", "budget", "change", "verdict")
"""What stands below a test's line where that would be too wide, the first first."""


def render(
    run: Run,
    *,
    verbosity: int = 0,
    width: int = 80,
    arranged: Arrangement = Arrangement(),  # noqa: B008 - frozen
) -> str:
    """The section of ``run`` in the terminal, without its heading, in lines of about ``width``.

    Below verbosity 0 only tests that fail have a line; above it, tokens, power and time are told as
    well, in columns where they fit, else in lines of their own. Text from outside is escaped.
    """
    records = [record for record in run.records if verbosity >= 0 or record.verdict_fails]
    notes = _note_lines(records) if verbosity > 0 else _token_lines(records)
    lines = [*_test_lines(records, verbosity, width, arranged), *notes, *_not_judged_lines(run)]
    lines += [*gap_lines(run.gaps, verbosity), _summary(run)]
    lines += footprint_lines(run.place, records)
    return "\n".join(lines)


def _test_lines(
    records: Sequence[Record], verbosity: int, width: int, arranged: Arrangement
) -> Iterator[str]:
    """A header, where there are figures under it, and a line for each test or several, by groups."""
    if (why_not := not_grouped(records, arranged.group_by)) is not None:
        yield one_line(why_not)
        arranged = replace(arranged, group_by=None)
    groups = list(arranged.groups(records))
    records = [record for _, group in groups for record in group]
    measured = [record for record in records if record.measurement.why_unmeasured is None]
    names = short_names([record.test for record in records])
    best = best_column(_best_in(groups)) if arranged.group_by else None
    more = VERBOSE if verbosity > 0 and not arranged.columns else ()
    columns = _columns(measured, (*more, *(arranged.columns or USUAL)), best)
    below: list[str] = []
    if _width(columns) + max(map(len, names), default=0) + len(_GAP) > width:
        below = [*_moved_below(columns, names, width, arranged.columns), *more]
        columns = {name: column for name, column in columns.items() if name not in below}
    names = _fitted(names, columns, width)
    longest = max(map(len, names), default=0)
    header, *rows = _table(columns)
    details = (_details(record, below, width) for record in measured)
    if rows:
        yield f"{'test':<{longest}}{_GAP}{header}"
    remaining, named_records = iter(rows), iter(zip(names, records, strict=True))
    for title, group in groups:
        if len(groups) > 1:
            yield f"{one_line(title)}:"
        for name, record in islice(named_records, len(group)):
            why = record.measurement.why_unmeasured
            text = next(remaining) if why is None else f"not measured: {one_line(why)}"
            yield f"{name:<{longest}}{_GAP}{text}".rstrip()
            if why is None:
                yield from next(details)


def _best_in(groups: Sequence[tuple[str, Sequence[Record]]]) -> Callable[[Record], float | None]:
    """The smallest Wh/query in the group of a record; None where it is alone there."""
    best: dict[str, float | None] = {}
    for _, group in groups:
        best |= dict.fromkeys((record.test for record in group), best_of(group))
    return lambda record: best.get(record.test)


_Cells = dict[str, tuple[Column[Record], list[str]]]
"""The columns of the table that say something, by their names, each with its cells."""


def _columns(records: Sequence[Record], names: Sequence[str], best: Column[Record] | None) -> _Cells:
    # One prefix for all figures that are compared with one another: µWh below mWh look larger.
    prefix = prefix_for([value for record in records if (value := record.measurement.wh_per_query)])
    known = {name: one.column for name, one in COLUMNS.items()} | in_one_unit(records, prefix)
    columns = {"energy": energy_column(records, prefix)} | ({"best": best} if best else {})
    columns |= {name: known[name] for name in names}
    cells = filled(list(columns.values()), records)
    return {name: (column, cells[column]) for name, column in columns.items() if column in cells}


def _width(columns: _Cells) -> int:
    """How wide the table of ``columns`` is."""
    widths = [max(map(len, (column.title, *cells))) for column, cells in columns.values()]
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _fitted(names: Sequence[str], columns: _Cells, width: int, shortest: int = _SHORTEST_NAME) -> list[str]:
    """The ``names`` in what ``columns`` leave of ``width``, and in ``shortest`` at least."""
    return fitted(names, max(shortest, width - len(_GAP) - _width(columns)))


def _moved_below(columns: _Cells, names: Sequence[str], width: int, chosen: Sequence[str]) -> list[str]:
    """Which of ``columns``, less those of `VERBOSE`, a line has no room for; of the ``chosen`` the last."""
    left = {name: column for name, column in columns.items() if chosen or name not in VERBOSE}
    moved: list[str] = []
    for name in reversed(chosen) if chosen else _GIVES_WAY:
        shortest = _WHOLE_NAME if name == "warnings" else _SHORTEST_NAME
        longest = max(map(len, _fitted(names, left, width, shortest)), default=0)
        if longest + len(_GAP) + _width(left) <= width:
            break
        if left.pop(name, None) is not None:
            moved.insert(0, name)
    return moved


def _table(columns: _Cells) -> list[str]:
    """A header and the figures of each record as one line, aligned."""
    if not columns:
        return [""]
    header = [column.title for column, _ in columns.values()]
    rows = zip(*(cells for _, cells in columns.values()), strict=True)
    return aligned([header, *rows], [column.align for column, _ in columns.values()], _GAP)


def _details(record: Record, names: Sequence[str], width: int) -> list[str]:
    """What the columns of ``names`` say, in lines of their own."""
    lines: list[str] = []
    for text in filter(None, (COLUMNS[name].phrase(record) for name in names)):
        if lines and len(lines[-1]) + len(_GAP) + len(text) <= width:
            lines[-1] += f"{_GAP}{text}"
        else:
            lines += _broken(text, width)
    return lines


def _broken(text: str, width: int) -> list[str]:
    """``text`` in lines of about ``width``, broken after what it lists."""
    first, *others = text.split(", ")
    lines = [f"{_INDENT}{first}"]
    for part in others:
        if len(lines[-1]) + len(part) + len(", ,") <= width:
            lines[-1] += f", {part}"
        else:
            lines[-1] += ","
            lines.append(f"{_INDENT}{part}")
    return lines


def _token_lines(records: Sequence[Record]) -> Iterator[str]:
    """Why tests have no figures per token, which their lines do not tell."""
    said = Counter(
        reason.sentence.rstrip(".")
        for record in records
        if record.measurement.why_unmeasured is None
        for reason in record.measurement.reasons
        if reason.code == "tokens_missing"
    )
    for sentence, number in said.items():
        yield f"{number_of(number, 'test')} without figures per token: {one_line(sentence)}"


def _note_lines(records: Sequence[Record]) -> Iterator[str]:
    """A line for each reason and note of what was measured, with the names of its tests."""
    said: dict[str, list[str]] = {}
    for record in records:
        if record.measurement.why_unmeasured is None:
            reasons = (reason.sentence.rstrip(".") for reason in record.measurement.reasons)
            for sentence in filter(None, (*reasons, *record.measurement.notes)):
                said.setdefault(sentence, []).append(record.test)
    for sentence, tests in merged(said).items():
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
        yield ": ".join(filter(None, (one.said, first_few(one.names))))


def _unjudged(verdict: BudgetVerdict) -> str:
    return f"with {verdict.metric} unmeasured" if verdict.fails else "not judged"


def _summary(run: Run) -> str:
    return f"{counts_phrase(run)} · {run_rig_phrase(run)}"
