"""The report in Markdown, for a comment on a pull request or a summary of a job."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from pytest_whq.model import Record, Run, format_metric
from pytest_whq.rendering.columns import Column, Thing, filled
from pytest_whq.rendering.gap_words import missing
from pytest_whq.rendering.names import first_few, shortened
from pytest_whq.rendering.places.amounts import TITLES
from pytest_whq.rendering.places.words import basis_sentences, place_phrase
from pytest_whq.rendering.role_rows import RoleRow, role_rows_of
from pytest_whq.rendering.rows import Row, baseline_phrase, commit_phrase, measured_phrase, rows_of
from pytest_whq.rendering.served_words import load_phrase, phases_phrase, times_phrase
from pytest_whq.rendering.words import counts_phrase, devices_phrase, one_line, run_rig_phrase
from pytest_whq.units import format_seconds

MARKER = "<!-- pytest-whq report -->"
"""The first line: by it a workflow finds the comment that it wrote before."""

_ROOM = 64_000
"""Bytes at most: GitHub takes 65,536 characters."""

_NAME = 90
_SENTENCE = 400


def render(run: Run) -> str:
    """The run as a summary line, a table, notes and a folded part, in less than 65,536 characters.

    Where there are too many tests for that, those that fail are kept first, and the rest are counted.
    """
    rows = rows_of(run)
    lines = [MARKER, f"### Energy: {counts_phrase(run)}", ""]
    lines += _table(rows, _COLUMNS, _ROOM * 4 // 10, _left_out)
    lines += _roles(run, rows)
    lines += _notes(rows, _ROOM * 2 // 10)
    lines += _missing(run)
    lines += ["", escaped(shortened(run_rig_phrase(run), _SENTENCE))]
    if baseline := baseline_phrase([row.record for row in rows]):
        lines += ["", f"Baseline: {escaped(shortened(baseline, _SENTENCE))}"]
    lines += _footprint(run, rows)
    lines += ["", "<details>", "<summary>Rounds, tokens, rig and baseline</summary>", ""]
    lines += _table(rows, _DETAILS, _ROOM * 2 // 10, lambda left: f"and {len(left)} more")
    lines += ["", *_facts(run), "", "</details>", ""]
    return "\n".join(lines)


def _roles(run: Run, rows: Sequence[Row]) -> Iterator[str]:
    """What prefill, decode and other roles drew; nothing where no device has one."""
    known = list(role_rows_of(rows, run.rig.devices))
    if known:
        yield from ("", *_table(known, _ROLES, _ROOM // 20, lambda left: f"and {len(left):,} more"))


def _footprint(run: Run, rows: Sequence[Row]) -> Iterator[str]:
    """What the energy amounts to where the run was measured; nothing where that is not known."""
    if run.place is None:
        return
    known = [row for row in rows if any(row.footprint)]
    if known:
        yield from ("", *_table(known, _FOOTPRINT, _ROOM // 10, lambda left: f"and {len(left):,} more"))
    place = escaped(shortened(place_phrase(run.place), _SENTENCE))
    yield from ("", f"Footprint: {place}")
    if run.place.grid is not None:
        yield from ("", *basis_sentences([run.place.grid]))


def _text(write: Callable[[Row], str]) -> Callable[[Row], str]:
    return lambda row: escaped(write(row))


def _name(row: Row) -> str:
    return _code(shortened(row.name, _NAME))


def _verdict(row: Row) -> str:
    return f"**{row.verdict}**" if row.tone == "bad" else row.verdict


_COLUMNS = (
    Column("Test", _name, "left"),
    Column[Row]("Energy per query", lambda row: f"{row.value} {row.spread}".strip()),
    Column[Row]("Baseline", lambda row: row.baseline),
    Column[Row]("Change", lambda row: row.change),
    Column[Row]("95 % interval", lambda row: row.interval),
    Column[Row]("Budget", lambda row: row.budget, "left"),
    Column("Verdict", _verdict, "left"),
)


_ROLES = (
    Column[RoleRow]("By role", lambda row: _code(shortened(row.name, _NAME)), "left"),
    Column[RoleRow]("Role", lambda row: escaped(shortened(one_line(row.role), _NAME)), "left"),
    Column[RoleRow]("Devices", lambda row: f"{row.devices:,}"),
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


_DETAILS = (
    Column("Test", _name, "left"),
    Column("Queries", _queries),
    Column[Row]("Input tokens", lambda row: _count(row.record.measurement.tokens.input_tokens)),
    Column[Row]("Output tokens", lambda row: _count(row.record.measurement.tokens.output_tokens)),
    Column[Row]("Per output token", lambda row: _known("j_per_output_token", row.record)),
    Column[Row]("Power", lambda row: _known("average_power_w", row.record)),
    Column("Time", _seconds),
    Column("Rounds: Wh per query", _rounds),
    Column[Row]("Load", lambda row: load_phrase(row.record.measurement), "left"),
    Column[Row]("Times", lambda row: times_phrase(row.record.measurement), "left"),
    Column[Row]("Phases", lambda row: phases_phrase(row.record.measurement), "left"),
    Column("Baseline", _from, "left"),
)


def _known(metric: str, record: Record) -> str:
    value = record.measurement.metric(metric)
    return "" if value is None else format_metric(metric, value)


def _table(
    rows: Sequence[Thing],
    columns: Sequence[Column[Thing]],
    room: int,
    left_out: Callable[[Sequence[Thing]], str],
) -> list[str]:
    """As many rows as fit into ``room`` bytes, less the columns in which all of them say nothing."""
    # A row takes more than its name, so that no more than these can fit.
    shown = filled(columns, rows[: room // 20])
    if not shown:
        return ["No test was measured."]
    header = [_line(column.title for column in shown), _line(_RULES[column.align] for column in shown)]
    body = _fitting([_line(cells) for cells in zip(*shown.values(), strict=True)], room)
    left = rows[len(body) :]
    return [*header, *body, *(["", left_out(left)] if left else [])]


_RULES = {"left": ":--", "right": "--:"}


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _left_out(left: Sequence[Row]) -> str:
    failing = sum(row.tone == "bad" for row in left)
    said = f"{failing:,} of them failing" if failing else "none of which fails"
    return f"and {len(left):,} more, {said}"


def _fitting(lines: Sequence[str], room: int) -> Sequence[str]:
    """The first of ``lines`` that take no more than ``room`` bytes together."""
    sizes = accumulate(len(line.encode()) + 1 for line in lines)
    return lines[: sum(size <= room for size in sizes)]


def _notes(rows: Sequence[Row], room: int) -> list[str]:
    """What else there is to say, once where it is the same of several tests."""
    said: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row.notes:
            said.setdefault(row.notes, []).append(row)
    lines = [_note(sentences, of) for sentences, of in said.items()]
    fitting = _fitting(lines, room)
    more = [f"- and {len(lines) - len(fitting):,} more notes"] if len(fitting) < len(lines) else []
    return ["", *fitting, *more] if lines else []


def _note(sentences: Sequence[str], rows: Sequence[Row]) -> str:
    named = ", ".join(_name(row) for row in rows[:2])
    more = f" and {len(rows) - 2:,} more" if len(rows) > 2 else ""
    said = "; ".join(escaped(shortened(sentence, _SENTENCE)) for sentence in sentences)
    return f"- {named}{more}: {said}"


def _missing(run: Run) -> list[str]:
    """What the run lacks, a line for each kind."""
    lines = []
    for one in missing(run.gaps):
        names = [_code(shortened(name, _NAME)) for name in one.names]
        lines.append(f"- {escaped(shortened(one.said, _SENTENCE))}: {first_few(names)}")
    return ["", *lines] if lines else []


def _facts(run: Run) -> list[str]:
    rig = run.rig
    host = f"{rig.host}, {rig.platform}, Python {rig.python}"
    driver = [f"driver {rig.driver}"] if rig.driver is not None else []
    facts = [measured_phrase(run), ", ".join([devices_phrase(rig.devices), *driver]), host]
    return [f"- {escaped(shortened(one_line(fact), _SENTENCE))}" for fact in facts]


_PROSE = re.compile(
    r"(?![-+ ]|\d+[.)]|.*GH-\d)"  # neither a list nor a reference to an issue
    r"(?:[^\W_]|[ ,;%±·()'\"=+/-]"
    r"|(?<![wW]{3})\."  # no address that begins with www.
    r"|:(?= |$)|(?<=\d):(?=\d\d\b(?!:))"  # nor with https:, and no emoji between colons
    r"|(?<=[^\W_])_(?=[^\W_])"  # within a word it emphasises nothing
    r"|\[\d+\](?![(:\[])"  # no link
    r")*"
)
"""Text in which Markdown, and what GitHub and GitLab add to it, finds nothing to act on."""


def escaped(text: str) -> str:
    """Printable ``text`` as Markdown that shows it as it is, anywhere within a line."""
    return text if _PROSE.fullmatch(text) else _code(text)


def _code(text: str) -> str:
    """Printable ``text`` as code, in which no mention, link or reference is looked for."""
    if text and text == text.strip() and not _UNSPEAKABLE.intersection(text):
        return f"`{text}`"
    return f"<code>{_PUNCTUATION.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"


_UNSPEAKABLE = frozenset("`|\\")
"""What code between backticks cannot hold, at least not in a table."""

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
