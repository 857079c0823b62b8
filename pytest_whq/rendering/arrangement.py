"""How the lines of the terminal's table are arranged: their columns, their order, their groups."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pytest_whq.errors import SettingError, did_you_mean
from pytest_whq.model import Record
from pytest_whq.rendering.grouping import GROUPS_BY, PARAM, group_of
from pytest_whq.rendering.terminal_columns import COLUMNS

_SORTED_BY = ("name", "energy", *COLUMNS)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """``columns`` is empty for the usual ones, ``sort`` None for the order in which tests ran.

    ``group_by`` sets tests side by side that are variants of one another, the best first unless they are
    sorted by something else.
    """

    columns: tuple[str, ...] = ()
    sort: str | None = None
    falling: bool = False
    group_by: str | None = None

    def order(self, records: Sequence[Record]) -> list[Record]:
        """The ``records`` as they are asked for; those of which the key is unknown come last."""
        sort = self.sort or ("energy" if self.group_by else None)
        if sort is None:
            return list(records)
        if sort == "name":
            return sorted(records, key=lambda record: record.test, reverse=self.falling)
        keyed = [(_key(sort, record), record) for record in records]
        known = [(value, record) for value, record in keyed if value is not None]
        known.sort(key=lambda pair: pair[0], reverse=self.falling)
        return [*(record for _, record in known), *(record for value, record in keyed if value is None)]

    def groups(self, records: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
        """The groups by their names, each ordered; all as one without a name where none are asked for."""
        found: dict[str, list[Record]] = {}
        for record in records:
            found.setdefault(group_of(record, self.group_by), []).append(record)
        for name, group in found.items():
            yield name, self.order(group)


def arrangement(
    columns: tuple[str, str | None], sort: tuple[str, str | None], group: tuple[str, str | None]
) -> Arrangement:
    """What three settings say, each the name that the user gave it and its text; SettingError names it."""
    names = tuple(part.strip() for part in (columns[1] or "").split(",") if part.strip())
    for name in names:
        _check(columns[0], name, COLUMNS)
    by = (sort[1] or "").strip()
    if by:
        _check(sort[0], by.removeprefix("-"), _SORTED_BY)
    grouped = group[1] or None
    if grouped is not None and not (grouped.startswith(PARAM) and grouped != PARAM):
        _check(group[0], grouped, GROUPS_BY)
    return Arrangement(names, by.removeprefix("-") or None, by.startswith("-"), grouped)


def _check(where: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        hint = did_you_mean(name, known)
        raise SettingError(f"{where} cannot be {name!r}{hint}: it knows {', '.join(known)}.")


def _key(sort: str, record: Record) -> float | None:
    if record.measurement.why_unmeasured is not None:
        return None
    return record.measurement.wh_per_query if sort == "energy" else COLUMNS[sort].key(record)
