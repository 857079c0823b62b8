"""A run of a history as a small JSON file: a line for each test, the names of its columns once.

A history of a thousand runs is read at once, so that the rows are checked by columns and not one by one.
"""

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from itertools import count as numbered
from pathlib import Path
from typing import Any, get_args

from pytest_whq.errors import RunFileError
from pytest_whq.model.history import Kept, KeptRun
from pytest_whq.model.measurement import Method
from pytest_whq.storing.fields import (
    LARGEST_COUNT,
    LARGEST_NUMBER,
    FieldError,
    Reader,
    count,
    list_of,
    object_of,
    shown,
    text,
)
from pytest_whq.storing.files import write_text
from pytest_whq.storing.hints import readers_of
from pytest_whq.storing.plain_data import json_of, plain
from pytest_whq.storing.records import check_format, read_with
from pytest_whq.storing.stamp import moment

HISTORY_FORMAT = 1  # 1: first

HISTORY_FOLDER = Path(".whq", "history")
"""Where runs are kept unless somebody says otherwise, seen from the folder of the project."""

RESTORE = "Restore it from version control, or take it out of the history."
"""What to do about a file of a history that cannot be read."""


def write_history(run: KeptRun, folder: Path) -> Path:
    """Keep ``run`` as a file of its own in ``folder``, which is made where it is missing; the file's path.

    RunFileError where that cannot be done.
    """
    at = "" if run.commit is None else f"-{run.commit.id[:10]}{'-dirty' if run.commit.dirty else ''}"
    name = f"{run.created.replace('-', '').replace(':', '')}{at}"
    path = folder / f"{name}.json"
    again, text = numbered(2), history_as_json(run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while not _taken(path):
            path = folder / f"{name}-{next(again)}.json"
    except OSError as error:
        raise RunFileError(f"{path} cannot be written ({error.strerror}). Check the folder.") from error
    try:
        write_text(path, text)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    return path


def _taken(path: Path) -> bool:
    """Make an empty file at ``path``, unless another session has: two can end in the same second."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        return False
    return True


def history_as_json(run: KeptRun) -> str:
    """``run`` as the text of its file."""
    head = {name: plain(getattr(run, name)) for name in _HEAD}
    lines = ",\n".join(f" {json_of(row, separators=(',', ':'))}" for row in run.rows)
    start = json_of({"format": HISTORY_FORMAT, **head, "columns": list(Kept._fields)}).removesuffix("}")
    return f'{start},\n"rows": [\n{lines}\n]}}\n'


def history_from_dict(data: Any, where: str) -> KeptRun:
    """The run in ``data``, the whole of a history's file; a RunFileError begins with ``where``."""
    if not isinstance(data, dict) or "format" not in data or "rows" not in data:
        raise RunFileError(f"{where} is not of a history. Give one that pytest --whq-save wrote.")
    check_format(data["format"], HISTORY_FORMAT, where, "history")
    whole = read_with(_read_document, data, where, RESTORE)
    return KeptRun(**{name: whole[name] for name in (*_HEAD, "rows")})


_HEAD = ("created", "tool", "commit", "rig")

Column = Sequence[Any]
Check = Callable[[Column], bool]


def _of_types(*types: type) -> Check:
    allowed = frozenset(types)
    return lambda column: allowed.issuperset(map(type, column))


def _known(column: Column) -> Column:
    return [value for value in column if value is not None] if None in column else column


def _numbers(column: Column) -> bool:
    known = _known(column)
    # The sum is what finds a NaN, which is neither below nor above a bound.
    return _of_types(float, int)(known) and not (
        known and not (min(known) >= 0 and sum(known) <= LARGEST_NUMBER)
    )


def _signed(column: Column) -> bool:
    known = _known(column)
    return _of_types(float, int)(known) and sum(map(abs, known)) <= LARGEST_NUMBER


def _counts(column: Column) -> bool:
    known = _known(column)
    return _of_types(int)(known) and not (known and not 0 <= min(known) <= max(known) <= LARGEST_COUNT)


def _words(*words: str) -> Check:
    allowed = frozenset({*words, None})
    return lambda column: _of_types(str, type(None))(column) and allowed.issuperset(column)


def _places(column: Column) -> bool:
    return _of_types(type(None))(column) or all(
        value is None or (type(value) is list and value and _counts(value) and None not in value)
        for value in column
    )


_CHECKS: dict[str, tuple[Check, str]] = {
    "test": (_of_types(str), "a string"),
    "wh_per_query": (_numbers, "null or a finite number from 0 up"),
    # An interval that is wider than its figure reaches below 0.
    "low_wh": (_signed, "null or a finite number"),
    "high_wh": (_numbers, "null or a finite number from 0 up"),
    "j_per_output_token": (_numbers, "null or a finite number from 0 up"),
    "queries": (_counts, "null or a whole number from 0 up"),
    "budget_wh": (_numbers, "null or a finite number from 0 up"),
    "baseline_wh": (_numbers, "null or a finite number from 0 up"),
    "method": (_words(*get_args(Method)), f"null or one of {', '.join(get_args(Method))}"),
    "why": (_of_types(str, type(None)), "null or a string"),
    "devices": (_places, "null or a list of places in the rig's devices"),
}
assert tuple(_CHECKS) == Kept._fields


def _rows(value: Any) -> tuple[Kept, ...]:
    if type(value) is not list:
        raise FieldError(f"is {shown(value)}, but must be a list")
    width = len(_CHECKS)
    if not (_of_types(list)(value) and {width}.issuperset(map(len, value))):
        index, row = next(
            (n, row) for n, row in enumerate(value) if type(row) is not list or len(row) != width
        )
        raise FieldError(f"is {shown(row)}, but must be a list of {width} values", f"[{index}]")
    for place, (column, name) in enumerate(zip(zip(*value, strict=True), _CHECKS, strict=False)):
        _check(column, name, place)
    for row in value:
        if row[-1] is not None:
            row[-1] = tuple(sorted(row[-1]))
    # As Kept._make does, which counts the values of each row once more.
    return tuple(map(partial(tuple.__new__, Kept), value))


def _check(column: Column, name: str, place: int) -> None:
    check, what = _CHECKS[name]
    if not check(column):
        index = next((n for n, value in enumerate(column) if not check([value])), 0)
        raise FieldError(f"is {shown(column[index])}, but must be {what}", f"[{index}][{place}]")
    if name == "test" and len(set(column)) < len(column):
        index = next(n for n, value in enumerate(column) if value in column[:n])
        raise FieldError(f"is {shown(column[index])}, which another row has", f"[{index}][{place}]")


def _columns(value: Any) -> Collection[str]:
    columns = list_of(text)(value)
    if columns != Kept._fields:
        raise FieldError(f"is {shown(value)}, but must be {shown(list(Kept._fields))}")
    return columns


_readers = readers_of(KeptRun, {"created": moment, "rows": Reader(_rows, {})})
_document = object_of({"format": count, **_readers, "columns": Reader(_columns, {})})


def _whole(data: Any) -> dict[str, Any]:
    whole = _document(data)
    last = len(whole["rig"].devices)
    for index, row in enumerate(whole["rows"]):
        if row.devices is not None and row.devices[-1] >= last:
            raise FieldError(f"names device {row.devices[-1]} of {last}", f"rows[{index}]")
    return whole


_read_document = Reader(_whole, {})
