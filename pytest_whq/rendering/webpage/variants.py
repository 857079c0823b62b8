"""The part of the page that sets variants side by side."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pytest_whq.rendering.columns import Column, filled
from pytest_whq.rendering.rows import Row
from pytest_whq.rendering.variants import Group, Member, variants_of
from pytest_whq.rendering.webpage.charts import Mark, share_bar

_MOST_ROWS = 400


class VariantsPart(NamedTuple):
    """What its template shows: groups as long as there is room, and how many more there are.

    ``places`` is test -> the number of its row on the page, and ``why_not`` why there are no groups.
    """

    title: str
    why_not: str | None
    groups: Sequence[Group]
    columns: Sequence[Column[Member]]
    places: Mapping[str, int]
    left_out: int

    def bar(self, member: Member) -> Mark | None:
        """How much of the worst of its group a member takes."""
        return None if member.share is None else share_bar(member.share)


def variants_part(rows: Sequence[Row], group_by: str | None) -> VariantsPart | None:
    """The part for ``rows``; None where no groups are asked for."""
    found = variants_of(rows, group_by)
    if found is None:
        return None
    shown = list(_first(found.groups))
    members = [member for group in shown for member in group.members]
    places = {row.record.test: place for place, row in enumerate(rows)}
    left_out = len(found.groups) - len(shown)
    return VariantsPart(
        found.title, found.why_not, shown, list(filled(found.costs, members)), places, left_out
    )


def _first(groups: Sequence[Group]) -> Iterator[Group]:
    """The first groups: so many that they have about `_MOST_ROWS` members, and one at least."""
    rows = 0
    for group in groups:
        if rows >= _MOST_ROWS:
            return
        rows += len(group.members)
        yield group
