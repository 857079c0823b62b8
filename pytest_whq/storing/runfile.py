"""A `Run` as a JSON file, written whole and read strictly: nothing in it is guessed."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from pytest_whq.errors import RunFileError
from pytest_whq.model import Overhead, Place, Price, Record, Run
from pytest_whq.storing.fields import (
    FieldError,
    Reader,
    list_of,
    number,
    optional,
    shown,
    taking,
    text,
)
from pytest_whq.storing.files import parse_json, read_bytes, write_text
from pytest_whq.storing.hints import dataclass_of
from pytest_whq.storing.plain_data import json_of, plain
from pytest_whq.storing.records import check_format, read_record, read_with, record_as_dict
from pytest_whq.storing.stamp import moment

# 1: first; since 0.1 a record may have `power`, `params` and any of the metrics, and be `imported`;
# a run may have `place`, `gaps` and `name`
RUN_FORMAT = 1

_MAY_LACK = ("place", "gaps", "name")


def read_run(path: Path | str) -> Run:
    """The run stored at ``path``; RunFileError names the file, the field and what to do."""
    return run_from_dict(parse_json(read_bytes(Path(path)), str(path)), str(path))


def write_run(run: Run, path: Path | str) -> None:
    """Write ``run`` to ``path``, whole or not at all; RunFileError where that cannot be done."""
    try:
        document = run_as_json(run)
    except ValueError as error:
        raise RunFileError(f"{path} is not written: a figure of the run is not finite ({error}).") from error
    write_text(Path(path), document)


def run_as_json(run: Run) -> str:
    """``run`` as the text of a run file, each record on a line of its own."""
    head = json_of(head_as_dict(run), indent=1).removesuffix("\n}")
    records = ",\n".join(f"  {json_of(record_as_dict(record))}" for record in run.records)
    return f'{head},\n "records": [\n{records}\n ]\n}}\n'


def head_as_dict(run: Run) -> dict[str, Any]:
    """All of ``run`` but its records, as plain data."""
    head = {field.name: plain(getattr(run, field.name)) for field in fields(run) if field.name != "records"}
    head = {name: value for name, value in head.items() if value or name not in _MAY_LACK}
    return {"format": RUN_FORMAT, **head}


def run_from_dict(data: Any, where: str) -> Run:
    """The run in ``data``, the whole of a run file; a RunFileError begins with ``where``."""
    if not isinstance(data, dict) or "format" not in data:
        raise RunFileError(f"{where} is not a run file of pytest-whq. Give one that pytest --whq-json wrote.")
    check_format(data["format"], RUN_FORMAT, where, "run", "Record the run again")
    rest = {name: value for name, value in data.items() if name != "format"}
    return read_with(read_run_fields, rest, where)


_list_of_records = list_of(read_record)


def _records(data: Any) -> tuple[Record, ...]:
    records = _list_of_records(data)
    seen = set()
    for index, record in enumerate(records):
        if record.test in seen:
            raise FieldError(f"is {shown(record.test)}, which another record has", f"[{index}].test")
        seen.add(record.test)
    return records


_CURRENCY = "^[A-Z]{3}$"


@taking(type="number", minimum=1)
def _pue(value: Any) -> float:
    """A data centre's energy over that of its machines: at least 1."""
    pue = number(value)
    if pue < 1:
        raise FieldError(f"is {shown(value)}, but must be at least 1")
    return pue


@taking(type="string", pattern=_CURRENCY)
def _currency(value: Any) -> str:
    """A code of ISO 4217, three capital letters."""
    if not re.fullmatch(_CURRENCY, code := text(value)):
        raise FieldError(f"is {shown(value)}, but must be a code of ISO 4217 such as JPY")
    return code


_place = dataclass_of(
    Place,
    {
        "price": optional(dataclass_of(Price, {"currency": _currency})),
        "overhead": optional(dataclass_of(Overhead, {"pue": _pue})),
    },
)
read_run_fields: Reader[Run] = dataclass_of(
    Run,
    {"created": moment, "records": Reader(_records, _list_of_records.schema), "place": _place},
    may_lack=_MAY_LACK,
)
"""A reader of all of a run file but its format."""
