"""The report in Markdown, for a comment on a pull request or a summary of a job."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_whq.model import Run
from pytest_whq.model.verdicts import Tone
from pytest_whq.rendering.alike import merged
from pytest_whq.rendering.columns import Column
from pytest_whq.rendering.gap_words import missing
from pytest_whq.rendering.headline import headline
from pytest_whq.rendering.markdown_folded import folded_lines
from pytest_whq.rendering.markdown_table import fitting, table
from pytest_whq.rendering.markdown_text import (
    LONGEST_NAME,
    NAME,
    code,
    escaped,
    sentence_of,
    unbroken,
)
from pytest_whq.rendering.markdown_variants import variants_lines
from pytest_whq.rendering.names import first_few, fitted, shortened
from pytest_whq.rendering.places.amounts import TITLES
from pytest_whq.rendering.places.words import basis_sentences, place_phrase
from pytest_whq.rendering.role_rows import RoleRow, role_rows_of
from pytest_whq.rendering.rows import Row, baseline_phrase, rows_of
from pytest_whq.rendering.variants import variants_of
from pytest_whq.rendering.words import one_line, run_rig_phrase


def marker(run: Run) -> str:
    """The first line of the report: by it a workflow finds the comment that it wrote before."""
    # Whatever a file says, nothing in it ends the comment of HTML.
    name = re.sub(r"[^\w. -]", "", run.name or "")
    return f"<!-- pytest-whq report{f': {name}' if name else ''} -->"


_ROOM = 64_000
"""Bytes at most: GitHub takes 65,536 characters."""


def render(run: Run, group_by: str | None = None) -> str:
    """The run as a verdict, a table, notes and a folded part, in less than 65,536 characters.

    Where there are too many tests for that, those that fail are kept first, and the rest are counted.
    ``group_by`` sets variants side by side below the table.
    """
    rows = rows_of(run)
    names = fitted([row.name for row in rows], NAME)
    rows = [replace(row, name=shortened(name, LONGEST_NAME)) for row, name in zip(rows, names, strict=True)]
    lines = [marker(run), *_headline(run, rows), ""]
    variants = variants_of(rows, group_by)
    lines += table(rows, _COLUMNS, _ROOM * (35 if variants is None else 25) // 100, _left_out)
    lines += [] if variants is None else variants_lines(variants, _ROOM // 10)
    lines += _roles(run, rows)
    lines += _notes(rows, _ROOM * 2 // 10)
    lines += _missing(run)
    lines += ["", sentence_of(run_rig_phrase(run))]
    if baseline := baseline_phrase([row.record for row in rows]):
        lines += ["", f"Baseline: {sentence_of(baseline)}"]
    lines += _footprint(run, rows)
    return "\n".join([*lines, "", *folded_lines(run, rows, _ROOM * 8 // 100), ""])


def _roles(run: Run, rows: Sequence[Row]) -> Iterator[str]:
    """What prefill, decode and other roles drew; nothing where no device has one."""
    known = list(role_rows_of(rows, run.rig.devices))
    if known:
        yield from ("", *table(known, _ROLES, _ROOM // 20, lambda left: f"and {len(left):,} more"))


def _headline(run: Run, rows: Sequence[Row]) -> list[str]:
    said = headline(run, rows)
    mark = f"{_MARKS[said.tone]} " if said.tone in _MARKS else ""
    of = f" of {escaped(shortened(one_line(run.name), NAME))}" if run.name else ""
    return [f"### {mark}Energy{of}: {said.first}", *(["", said.rest] if said.rest else [])]


_MARKS: Mapping[Tone, str] = {"bad": "❌", "unsure": "⚠️", "good": "✅"}


def _footprint(run: Run, rows: Sequence[Row]) -> Iterator[str]:
    """What the energy amounts to where the run was measured; nothing where that is not known."""
    if run.place is None:
        return
    known = [row for row in rows if any(row.footprint)]
    if known:
        yield from ("", *table(known, _FOOTPRINT, _ROOM // 10, lambda left: f"and {len(left):,} more"))
    place = sentence_of(place_phrase(run.place))
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
    Column[RoleRow]("By role", lambda row: code(shortened(row.name, NAME)), "left"),
    Column[RoleRow]("Role", lambda row: escaped(shortened(one_line(row.role), NAME)), "left"),
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
    said = "; ".join(sentence_of(sentence) for sentence in sentences)
    return f"- {first_few(names)}: {said}"


def _missing(run: Run) -> list[str]:
    """What the run lacks, a line for each kind."""
    lines = []
    for one in missing(run.gaps):
        names = [code(shortened(name, LONGEST_NAME)) for name in one.names]
        lines.append(f"- {': '.join(filter(None, (sentence_of(one.said), first_few(names))))}")
    return ["", *lines] if lines else []
