"""What a report in Markdown folds away: tables that few look for, and what measured."""

from collections.abc import Iterator, Sequence
from operator import attrgetter

from pytest_whq.model import Run, format_metric
from pytest_whq.rendering.columns import Column
from pytest_whq.rendering.markdown_table import table
from pytest_whq.rendering.markdown_text import code, escaped, sentence_of
from pytest_whq.rendering.metric_columns import metric_column
from pytest_whq.rendering.rows import Row, commit_phrase, measured_phrase
from pytest_whq.rendering.served_words import load_phrase, phases_phrase, times_phrase
from pytest_whq.rendering.words import devices_phrase, one_line
from pytest_whq.units import format_seconds


def folded_lines(run: Run, rows: Sequence[Row], room: int) -> Iterator[str]:
    """The folded part; each of its tables takes up to ``room`` bytes, and has columns that fit the page."""
    yield from ("<details>", "<summary>Rounds, tokens, rig and baseline</summary>", "")
    for columns in (_measured(rows), _COMPARED, _SERVED):
        yield from _details(rows, columns, room)
    yield from (*_facts(run), "", "</details>")


_TEST = Column[Row]("Test", lambda row: code(row.name), "left")


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
        _TEST,
        Column("Queries", _queries),
        Column[Row]("Input tokens", lambda row: _count(row.record.measurement.tokens.input_tokens)),
        Column[Row]("Output tokens", lambda row: _count(row.record.measurement.tokens.output_tokens)),
        metric_column("Per output token", "j_per_output_token", rows, attrgetter("record.measurement")),
        metric_column("Power", "average_power_w", rows, attrgetter("record.measurement")),
        Column("Time", _seconds),
        Column("Rounds: Wh per query", _rounds),
    )


_SERVED = (
    _TEST,
    Column[Row]("Load", lambda row: load_phrase(row.record.measurement), "left"),
    Column[Row]("Times", lambda row: times_phrase(row.record.measurement), "left"),
    Column[Row]("Phases", lambda row: phases_phrase(row.record.measurement), "left"),
)

_COMPARED = (
    _TEST,
    Column[Row]("Change", lambda row: row.change),
    Column[Row]("95 % interval", lambda row: row.interval),
    Column[Row]("Baseline", lambda row: row.baseline),
    Column("Measured at", _from, "left"),
)


def _details(rows: Sequence[Row], columns: Sequence[Column[Row]], room: int) -> list[str]:
    """The table of those that it says something of."""
    told = [row for row in rows if any(column.cell(row) for column in columns[1:])]
    if not told:
        return []
    return [*table(told, columns, room, lambda left: f"and {len(left):,} more"), ""]


def _facts(run: Run) -> list[str]:
    rig = run.rig
    driver = [f"driver {rig.driver}"] if rig.driver is not None else []
    facts = [measured_phrase(run), ", ".join([devices_phrase(rig.devices), *driver])]
    facts += [", ".join(rig.machine)] if rig.machine else []
    return [f"- {sentence_of(one_line(fact))}" for fact in facts]
