"""The report in Markdown, for a comment on a pull request or a summary of a job."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from pytest_whq.model import Run, format_metric
from pytest_whq.model.verdicts import Tone
from pytest_whq.rendering.alike import merged
from pytest_whq.rendering.columns import Column
from pytest_whq.rendering.gap_words import missing
from pytest_whq.rendering.headline import headline
from pytest_whq.rendering.markdown_table import fitting, table
from pytest_whq.rendering.markdown_text import code, escaped, unbroken
from pytest_whq.rendering.markdown_variants import variants_lines
from pytest_whq.rendering.metric_columns import metric_column
from pytest_whq.rendering.names import first_few, fitted, shortened
from pytest_whq.rendering.places.amounts import TITLES
from pytest_whq.rendering.places.words import basis_sentences, place_phrase
from pytest_whq.rendering.role_rows import RoleRow, role_rows_of
from pytest_whq.rendering.rows import Row, baseline_phrase, commit_phrase, measured_phrase, rows_of
from pytest_whq.rendering.served_words import load_phrase, phases_phrase, times_phrase
from pytest_whq.rendering.variants import variants_of
from pytest_whq.rendering.words import devices_phrase, one_line, run_rig_phrase
from pytest_whq.units import format_seconds


def marker(run: Run) -> str:
    """The first line of the report: by it a workflow finds the comment that it wrote before."""
    # Whatever a file says, nothing in it ends the comment of HTML.
    name = re.sub(r"[^\w. -]", "", run.name or "")
    return f"<!-- pytest-whq report{f': {name}' if name else ''} -->"


_ROOM = 64_000
"""Bytes at most: GitHub takes 65,536 characters."""

_NAME = 48
"""Characters of a name that leave the other columns of a comment their room; more where two look alike."""

_LONGEST_NAME = 90
_SENTENCE = 400


def render(run: Run, group_by: str | None = None) -> str:
    """The run as a verdict, a table, notes and a folded part, in less than 65,536 characters.

    Where there are too many tests for that, those that fail are kept first, and the rest are counted.
    ``group_by`` sets variants side by side below the table.
    """
    rows = rows_of(run)
    names = fitted([row.name for row in rows], _NAME)
    rows = [replace(row, name=shortened(name, _LONGEST_NAME)) for row, name in zip(rows, names, strict=True)]
    lines = [marker(run), *_headline(run, rows), ""]
    variants = variants_of(rows, group_by)
    lines += table(rows, _COLUMNS, _ROOM * (35 if variants is None else 25) // 100, _left_out)
    lines += [] if variants is None else variants_lines(variants, _ROOM // 10)
    lines += _roles(run, rows)
    lines += _notes(rows, _ROOM * 2 // 10)
    lines += _missing(run)
    lines += ["", escaped(shortened(run_rig_phrase(run), _SENTENCE))]
    if baseline := baseline_phrase([row.record for row in rows]):
        lines += ["", f"Baseline: {escaped(shortened(baseline, _SENTENCE))}"]
    lines += _footprint(run, rows)
    lines += ["", "<details>", "<summary>Rounds, tokens, rig and baseline</summary>", ""]
    for columns in _folded(rows):
        lines += _details(rows, columns)
    lines += [*_facts(run), "", "</details>", ""]
    return "\n".join(lines)


def _roles(run: Run, rows: Sequence[Row]) -> Iterator[str]:
    """What prefill, decode and other roles drew; nothing where no device has one."""
    known = list(role_rows_of(rows, run.rig.devices))
    if known:
        yield from ("", *table(known, _ROLES, _ROOM // 20, lambda left: f"and {len(left):,} more"))


def _headline(run: Run, rows: Sequence[Row]) -> list[str]:
    said = headline(run, rows)
    mark = f"{_MARKS[said.tone]} " if said.tone in _MARKS else ""
    of = f" of {escaped(shortened(one_line(run.name), _NAME))}" if run.name else ""
    return [f"### {mark}Energy{of}: {said.first}", *(["", said.rest] if said.rest else [])]


_MARKS: Mapping[Tone, str] = {"bad": "❌", "unsure": "⚠️", "good": "✅"}


def _footprint(run: Run, rows: Sequence[Row]) -> Iterator[str]:
    """What the energy amounts to where the run was measured; nothing where that is not known."""
    if run.place is None:
        return
    known = [row for row in rows if any(row.footprint)]
    if known:
        yield from ("", *table(known, _FOOTPRINT, _ROOM // 10, lambda left: f"and {len(left):,} more"))
    place = escaped(shortened(place_phrase(run.place), _SENTENCE))
    yield from ("", f"Footprint: {place}")
    if run.place.grid is not None:
        yield from ("", *basis_sentences([run.place.grid]))


def _text(write: Callable[[Row], str]) -> Callable[[Row], str]:
    return lambda row: escaped(write(row))


def _name(row: Row) -> str:
    return code(row.name)


def _verdict(row: Row) -> str:
    """The verdict behind its mark: what is judged and as it should be is good here, even if unchanged."""
    mark = _MARKS.get("good" if row.tone == "plain" and row.is_judged else row.tone, "")
    said = f"**{row.verdict}**" if row.tone == "bad" else row.verdict
    return f"{mark}&nbsp;{said}" if mark and said else said


def _change(row: Row) -> str:
    return unbroken(f"{row.change} from {row.baseline}") if row.change else ""


_COLUMNS = (
    Column("Verdict", _verdict, "left"),
    Column("Test", _name, "left"),
    Column[Row]("Energy per query", lambda row: unbroken(f"{row.value} {row.spread}".strip())),
    Column("Change", _change),
    Column[Row]("Budget", lambda row: unbroken(row.budget), "left"),
)


_ROLES = (
    Column[RoleRow]("By role", lambda row: code(shortened(row.name, _NAME)), "left"),
    Column[RoleRow]("Role", lambda row: escaped(shortened(one_line(row.role), _NAME)), "left"),
    Column[RoleRow]("Devices", lambda row: "" if row.devices is None else f"{row.devices:,}"),
    Column[RoleRow]("Energy", lambda row: row.energy),
    Column[RoleRow]("Power", lambda row: row.power),
    Column[RoleRow]("Per token", lambda row: row.per_token),
)


def _amount(number: int) -> Callable[[Row], str]:
    return lambda row: row.footprint[number]


_FOOTPRINT = (
    Column("Footprint", _name, "left"),
    *(Column[Row](title.capitalize(), _amount(number)) for number, title in enumerate(TITLES)),
)


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _queries(row: Row) -> str:
    failed = row.record.measurement.failed_queries
    return f"{_count(row.record.measurement.queries)}{f', {failed:,} failed' if failed else ''}"


def _seconds(row: Row) -> str:
    duration_s = row.record.measurement.duration_s
    return "" if duration_s is None else format_seconds(duration_s)


def _rounds(row: Row) -> str:
    number = len(row.record.measurement.rounds)
    values = [value for one in row.record.measurement.rounds if (value := one.wh_per_query) is not None]
    if len(values) < 2:
        return str(number)
    lowest, highest = (format_metric("wh_per_query", value) for value in (min(values), max(values)))
    return f"{number}: {lowest} to {highest}"


def _from(row: Row) -> str:
    comparison = row.record.comparison
    if comparison is None:
        return ""
    commit, day = comparison.commit, (comparison.created or "")[:10]
    at = "" if commit is None else commit_phrase(commit.id, commit.branch, commit.dirty)
    return escaped(", ".join(part for part in (at, day) if part))


def _measured(rows: Sequence[Row]) -> tuple[Column[Row], ...]:
    return (
        Column("Test", _name, "left"),
        Column("Queries", _queries),
        Column[Row]("Input tokens", lambda row: _count(row.record.measurement.tokens.input_tokens)),
        Column[Row]("Output tokens", lambda row: _count(row.record.measurement.tokens.output_tokens)),
        metric_column("Per output token", "j_per_output_token", rows, attrgetter("record.measurement")),
        metric_column("Power", "average_power_w", rows, attrgetter("record.measurement")),
        Column("Time", _seconds),
        Column("Rounds: Wh per query", _rounds),
    )


_SERVED = (
    Column("Test", _name, "left"),
    Column[Row]("Load", lambda row: load_phrase(row.record.measurement), "left"),
    Column[Row]("Times", lambda row: times_phrase(row.record.measurement), "left"),
    Column[Row]("Phases", lambda row: phases_phrase(row.record.measurement), "left"),
)

_COMPARED = (
    Column("Test", _name, "left"),
    Column[Row]("Change", lambda row: row.change),
    Column[Row]("95 % interval", lambda row: row.interval),
    Column[Row]("Baseline", lambda row: row.baseline),
    Column("Measured at", _from, "left"),
)


def _folded(rows: Sequence[Row]) -> tuple[tuple[Column[Row], ...], ...]:
    """What is folded: tables of their own, so that each fits the page."""
    return (_measured(rows), _COMPARED, _SERVED)


def _details(rows: Sequence[Row], columns: Sequence[Column[Row]]) -> list[str]:
    """The table of those that it says something of."""
    told = [row for row in rows if any(column.cell(row) for column in columns[1:])]
    if not told:
        return []
    return [*table(told, columns, _ROOM * 8 // 100, lambda left: f"and {len(left):,} more"), ""]


def _left_out(left: Sequence[Row]) -> str:
    failing = sum(row.tone == "bad" for row in left)
    said = f"{failing:,} of them failing" if failing else "none of which fails"
    return f"and {len(left):,} more, {said}"


def _notes(rows: Sequence[Row], room: int) -> list[str]:
    """What else there is to say, each sentence once, with the tests that it is said of."""
    tests: dict[str, list[str]] = {}
    for row in rows:
        for sentence in dict.fromkeys(row.notes):
            tests.setdefault(sentence, []).append(_name(row))
    said: dict[tuple[str, ...], list[str]] = {}
    for sentence, names in merged(tests).items():
        said.setdefault(tuple(names), []).append(sentence)
    lines = [_note(names, sentences) for names, sentences in said.items()]
    shown = fitting(lines, room)
    more = [f"- and {len(lines) - len(shown):,} more notes"] if len(shown) < len(lines) else []
    return ["", *shown, *more] if lines else []


def _note(names: Sequence[str], sentences: Sequence[str]) -> str:
    said = "; ".join(escaped(shortened(sentence, _SENTENCE)) for sentence in sentences)
    return f"- {first_few(names)}: {said}"


def _missing(run: Run) -> list[str]:
    """What the run lacks, a line for each kind."""
    lines = []
    for one in missing(run.gaps):
        names = [code(shortened(name, _LONGEST_NAME)) for name in one.names]
        lines.append(f"- {escaped(shortened(one.said, _SENTENCE))}: {first_few(names)}")
    return ["", *lines] if lines else []


def _facts(run: Run) -> list[str]:
    rig = run.rig
    driver = [f"driver {rig.driver}"] if rig.driver is not None else []
    facts = [measured_phrase(run), ", ".join([devices_phrase(rig.devices), *driver])]
    facts += [", ".join(rig.machine)] if rig.machine else []
    return [f"- {escaped(shortened(one_line(fact), _SENTENCE))}" for fact in facts]
