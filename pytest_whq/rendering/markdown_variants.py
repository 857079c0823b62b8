"""Variants side by side in Markdown: a table for each group."""

from collections.abc import Iterator, Sequence

from pytest_whq.rendering.columns import Column
from pytest_whq.rendering.markdown_table import table
from pytest_whq.rendering.markdown_text import LONGEST_NAME, NAME, code, escaped, unbroken
from pytest_whq.rendering.names import fitted, shortened
from pytest_whq.rendering.variants import Group, Member, Variants

_LEAST_ROOM = 800
"""Bytes without which a group is not begun: its header takes up to a third of them."""


def variants_lines(variants: Variants, room: int) -> Iterator[str]:
    """The lines of ``variants`` in about ``room`` bytes; groups have even shares of it."""
    if variants.why_not is not None:
        yield from ("", f"{escaped(variants.title)}: {escaped(variants.why_not)}")
        return
    yield from ("", f"{escaped(variants.title)}, each as so many times the best of its group:")
    costs = [_unbroken(column) for column in variants.costs]
    for number, group in enumerate(variants.groups):
        left = len(variants.groups) - number
        if room < _LEAST_ROOM:
            yield from ("", f"and {left:,} more {'group' if left == 1 else 'groups'}")
            return
        lines = _table(group, costs, max(_LEAST_ROOM, room // left) * 2 // 3)
        room -= sum(len(line.encode()) + 1 for line in lines)
        yield from ("", *lines)


def _table(group: Group, costs: Sequence[Column[Member]], room: int) -> list[str]:
    names = fitted([member.name for member in group.members], NAME)
    named = {id(member): name for member, name in zip(group.members, names, strict=True)}
    columns = (
        Column[Member](
            code(shortened(group.name, NAME)) if group.name else "Test",
            lambda member: code(shortened(named[id(member)], LONGEST_NAME)),
            "left",
        ),
        *_COLUMNS,
        *costs,
    )
    return table(group.members, columns, room, _left_out)


def _energy(member: Member) -> str:
    return unbroken(f"{member.row.value} {member.row.spread}".strip() or "not measured")


def _unbroken(column: Column[Member]) -> Column[Member]:
    return Column(column.title, lambda member: unbroken(column.cell(member)))


_COLUMNS = (
    Column[Member]("Energy per query", _energy),
    Column[Member]("In its group", lambda member: member.against_best.replace(" ", "&nbsp;")),
)


def _left_out(left: Sequence[Member]) -> str:
    return f"and {len(left):,} more"
