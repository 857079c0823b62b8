"""Variants side by side, in the words of a page: a group each, the best of it first."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_whq.model import Measurement
from pytest_whq.rendering.columns import Column
from pytest_whq.rendering.grouping import PARAM, against_best, best_of, figure, group_of, not_grouped
from pytest_whq.rendering.metric_columns import metric_column
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.rows import Row
from pytest_whq.rendering.words import one_line


@dataclass(frozen=True, slots=True)
class Member:
    """A test in its group; ``name`` is what tells it from the others there.

    ``against_best`` is empty, and ``share`` of the worst figure None, where it has no figure.
    """

    row: Row
    name: str
    against_best: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Tests to be compared with one another: the best first, those without a figure last.

    ``name`` is empty where all tests are one group.
    """

    name: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Variants:
    """What is asked to stand side by side: ``title`` says by what, ``why_not`` why there is nothing.

    ``costs`` are columns that tell why one takes more than another, in the same units for all groups.
    """

    title: str
    groups: tuple[Group, ...]
    costs: tuple[Column[Member], ...]
    why_not: str | None


def variants_of(rows: Sequence[Row], by: str | None) -> Variants | None:
    """The groups of ``rows`` in which there are figures to compare; None where none are asked for."""
    if by is None:
        return None
    records = [row.record for row in rows]
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(group_of(row.record, by), []).append(row)
    compared = {name: best for name, of in groups.items() if (best := best_of([row.record for row in of]))}
    why_not = not_grouped(records, by)
    if why_not is None and not compared:
        why_not = "No two measured tests are of one group."
    if why_not is not None:
        return Variants(_title(by), (), (), one_line(why_not))
    names = short_names(list(compared))
    found = tuple(
        Group(name, _members(groups[whole], whole, best))
        for name, (whole, best) in zip(names, compared.items(), strict=True)
    )
    costs = _costs([member for group in found for member in group.members])
    return Variants(_title(by), found, costs, None)


def _title(by: str) -> str:
    kind = f"parameter {by.removeprefix(PARAM)}" if by.startswith(PARAM) else by
    return "Side by side" if by == "all" else one_line(f"Side by side, by {kind}")


def _members(rows: Sequence[Row], group: str, best: float) -> tuple[Member, ...]:
    figures = {row.record.test: figure(row.record) for row in rows}
    worst = max(value for value in figures.values() if value)
    ordered = sorted(rows, key=lambda row: figures[row.record.test] or float("inf"))
    return tuple(_member(row, group, figures[row.record.test], best, worst) for row in ordered)


def _member(row: Row, group: str, value: float | None, best: float, worst: float) -> Member:
    name = _name_in(group, row)
    return (
        Member(row, name, against_best(value, best), value / worst) if value else Member(row, name, "", None)
    )


def _name_in(group: str, row: Row) -> str:
    """The parameters of a test among its variants, the function among those of a file, else its name."""
    if not group or not row.record.test.startswith(group):
        return row.name
    inner = row.record.test.removeprefix(group).removeprefix("::")
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    return one_line(inner) if inner.strip() else row.name


def _costs(members: Sequence[Member]) -> tuple[Column[Member], ...]:
    """What tells why one variant takes more than another: longer answers, or more watts."""

    def of(member: Member) -> Measurement | None:
        return None if member.share is None else member.row.record.measurement

    return (
        metric_column("Per output token", "j_per_output_token", members, of),
        metric_column("Power", "average_power_w", members, of),
    )
