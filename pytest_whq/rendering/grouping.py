"""Tests in groups, each held against the best of its group; so are the runs of one test."""

from collections.abc import Sequence

from pytest_whq.errors import did_you_mean
from pytest_whq.model import Record

GROUPS_BY = ("test", "file", "all", "param:NAME")
"""What tests of one group share: all but their parameters, their file, nothing, or a parameter's value."""

PARAM = "param:"


def group_of(record: Record, by: str | None) -> str:
    """The name of the group of ``record``; empty where all are of one."""
    if by == "file":
        return record.test.partition("::")[0]
    if by is not None and by.startswith(PARAM):
        name = by.removeprefix(PARAM)
        return f"{name}={record.params[name]}" if name in record.params else f"no {name}"
    return record.test.partition("[")[0] if by == "test" else ""


def not_grouped(records: Sequence[Record], by: str | None) -> str | None:
    """Why the ``records`` cannot be grouped so; None where they can."""
    if by is None or not by.startswith(PARAM):
        return None
    name = by.removeprefix(PARAM)
    known = sorted({param for record in records for param in record.params})
    if name in known or not records:
        return None
    there_are = f"they have {', '.join(known)}" if known else "they have none"
    return f"None of these tests has the parameter {name!r}{did_you_mean(name, known)}: {there_are}."


def best_of(records: Sequence[Record]) -> float | None:
    """The smallest Wh/query of ``records``; None where there are no two to compare."""
    values = [value for record in records if (value := figure(record))]
    return min(values) if len(values) > 1 else None


def against_best(value: float, best: float) -> str:
    """How many times the ``best`` something takes, which its column says of what."""
    return "best" if value == best else f"{value / best:.2f} x"


def figure(record: Record) -> float | None:
    """Wh/query where it stands."""
    return record.measurement.wh_per_query if record.measurement.why_unmeasured is None else None
