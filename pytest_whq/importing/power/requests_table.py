"""A table of requests beside a power log: a line for each, with its times; groups of them by columns."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_whq.errors import ImportedFileError, SettingError
from pytest_whq.importing.cells import CellError, Cells
from pytest_whq.importing.power.clock import moment_of
from pytest_whq.importing.power.rows import rows_of
from pytest_whq.joules.spans import Span

_GUESSES: Mapping[str, tuple[str, ...]] = {
    "start": (
        "session_start",
        "start",
        "start_time",
        "request_start",
        "begin",
        "started_at",
        "start_timestamp",
    ),
    "end": ("session_end", "end", "end_time", "request_end", "finish", "completed_at", "end_timestamp"),
    "input_tokens": ("input_tokens", "prompt_tokens", "num_input_tokens", "prompt_len", "input_length"),
    "output_tokens": (
        "output_tokens",
        "completion_tokens",
        "num_output_tokens",
        "generated_tokens",
        "output_len",
    ),
    "outcome": (
        *("outcome", "status", "ok", "success", "http_status", "status_code"),
        *("error", "error_message", "finish_reason"),
    ),
}
_UNITS = ("", "_ns", "_us", "_ms", "_s")
_OPTIONAL = ("input_tokens", "output_tokens", "outcome")
_FAILED = re.compile(r"(false|no|0|[45]\d\d)$|err|fail|abort|time.?out|cancel|reject|exception|refused")
_NO_ERROR = frozenset({"", "none", "null", "nan", "no", "false", "0", "[]", "{}"})
_ABSENT = frozenset({"", "-", "none", "null", "nan", "n/a", "na"})
_SESSION = "session"


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that share the values of some columns: their windows, how many, their tokens, their device."""

    name: str
    spans: tuple[Span, ...]
    queries: int
    failed_queries: int
    input_tokens: int | None
    output_tokens: int | None
    device: str | None


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a table, in the order of their first requests, and what was left out of it.

    ``is_local`` where its times are of an unknown zone, as if they were UTC.
    """

    where: str
    groups: tuple[Group, ...]
    left_out: tuple[str, ...]
    is_local: bool

    def shifted(self, offset_s: float) -> "Groups":
        """The groups in UTC, local times being ahead of that by ``offset_s``."""
        if not self.is_local:
            return self
        groups = tuple(
            replace(
                group, spans=tuple(Span(one.start_s - offset_s, one.end_s - offset_s) for one in group.spans)
            )
            for group in self.groups
        )
        return replace(self, groups=groups, is_local=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of the columns: by which to group, which has the device, times, tokens."""

    by: tuple[str, ...]
    device: str | None
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Request:
    values: tuple[str, ...]
    span: Span
    is_local: bool
    is_session: bool
    ok: bool
    tokens: tuple[int | None, int | None]
    device: str | None


def columns_given(text: str | None) -> dict[str, str]:
    """What ``--columns start=request_start_ns,end=...`` says; SettingError where that is nothing known."""
    given = {}
    for part in filter(None, (text or "").split(",")):
        what, separator, column = part.partition("=")
        if not separator or what.strip() not in _GUESSES or not column.strip():
            raise SettingError(
                f"--columns must be such as start=COLUMN, of {', '.join(_GUESSES)}, not {part!r}."
            )
        given[what.strip()] = column.strip()
    return given


def read_groups(path: Path, asked: Asked) -> Groups:
    """The groups in the table at ``path``; ImportedFileError where it has none that can be used."""
    left_out: list[str] = []
    with rows_of(path) as rows:
        header = [cell.strip() for cell in next(rows, ())]
        columns = _columns(header, asked, str(path))
        lines = (dict(zip(header, row, strict=False)) for row in rows if any(row))
        requests = list(_requests(lines, columns, asked, str(path), left_out))
    if not requests:
        raise ImportedFileError(f"{path} has no request with a start and an end that can be read.")
    found: dict[tuple[str, ...], list[_Request]] = {}
    for request in requests:
        found.setdefault(request.values, []).append(request)
    groups = tuple(_group(values, of, asked) for values, of in found.items())
    return Groups(str(path), groups, tuple(left_out), any(request.is_local for request in requests))


def _columns(header: Sequence[str], asked: Asked, where: str) -> dict[str, str]:
    """What each column is for, by what the user says, else by its name."""
    for column in (*asked.by, *filter(None, (asked.device,)), *asked.columns.values()):
        if column not in header:
            raise SettingError(f"{where} has no column {column}: it has {_listed(header)}.")
    by_name = {re.sub(r"[\s.-]+", "_", name.lower()): name for name in header}
    columns = {}
    for what, names in _GUESSES.items():
        guessed = (by_name.get(f"{name}{unit}") for name in names for unit in _UNITS)
        chosen = asked.columns.get(what) or next(filter(None, guessed), None)
        if chosen is not None:
            columns[what] = chosen
        elif what not in _OPTIONAL:
            raise SettingError(
                f"{where} has no column that is named like the {what} of a request: say which it is with "
                f"--columns {what}=COLUMN, of {_listed(header)}."
            )
    return columns


def _listed(header: Sequence[str]) -> str:
    return ", ".join(header)[:300] or "none"


def _requests(
    lines: Iterable[Mapping[str, str]],
    columns: Mapping[str, str],
    asked: Asked,
    where: str,
    left_out: list[str],
) -> Iterator[_Request]:
    for number, row in enumerate(lines, 1):
        start, end = (moment_of(row.get(columns[what]) or "") for what in ("start", "end"))
        if start is None or end is None or end.time_s <= start.time_s:
            left_out.append(f"{where}, request {number}, has no start and later end that can be read")
            continue
        tokens = [
            _count(row, columns.get(name), f"{where}, request {number},", left_out)
            for name in ("input_tokens", "output_tokens")
        ]
        yield _Request(
            tuple((row.get(column) or "").strip() for column in asked.by),
            Span(start.time_s, end.time_s),
            start.is_local or end.is_local,
            columns["start"].lower().startswith(_SESSION),
            _succeeded(columns.get("outcome", ""), row),
            (tokens[0], tokens[1]),
            (row.get(asked.device) or "").strip() or None if asked.device else None,
        )


def _succeeded(column: str, row: Mapping[str, str]) -> bool:
    """What the cell of an outcome says; a column of errors is empty where there was none."""
    text = row.get(column, "").strip().lower()
    return text in _NO_ERROR if "error" in column.lower() else _FAILED.match(text) is None


def _count(row: Mapping[str, str], column: str | None, where: str, left_out: list[str]) -> int | None:
    """Tokens in a cell; None where it has none, and with a sentence where it has what cannot be."""
    text = ((row.get(column) if column else None) or "").strip()
    if column is None or text.lower() in _ABSENT:
        return None
    try:
        return Cells({column: text}).count(column)
    except CellError as wrong:
        left_out.append(f"{where} {wrong}: its tokens are not known")
        return None


def _group(values: Sequence[str], requests: Sequence[_Request], asked: Asked) -> Group:
    good = [request for request in requests if request.ok]
    devices = {request.device for request in requests}
    name = ",".join(f"{column}={value}" for column, value in zip(asked.by, values, strict=True))
    if len(devices) > 1:
        told = ", ".join(sorted(str(device) for device in devices))
        raise SettingError(
            f"The requests of {name or 'the table'} ran on devices {told}: add --by {asked.device} to "
            "tell them apart."
        )
    return Group(
        name=name or "all requests",
        spans=_windows(requests),
        queries=len(good),
        failed_queries=len(requests) - len(good),
        input_tokens=_total([request.tokens[0] for request in good]),
        output_tokens=_total([request.tokens[1] for request in good]),
        device=next(iter(devices)),
    )


def _windows(requests: Sequence[_Request]) -> tuple[Span, ...]:
    """From the first start to the last end; of sessions, which tell their own windows, each one by itself."""
    if not all(request.is_session for request in requests):
        return (Span(min(one.span.start_s for one in requests), max(one.span.end_s for one in requests)),)
    merged: list[Span] = []
    for span in sorted({one.span for one in requests}, key=lambda one: one.start_s):
        if merged and span.start_s <= merged[-1].end_s:
            merged[-1] = Span(merged[-1].start_s, max(merged[-1].end_s, span.end_s))
        else:
            merged.append(span)
    return tuple(merged)


def _total(counts: Sequence[int | None]) -> int | None:
    return None if None in counts or not counts else sum(count or 0 for count in counts)
