"""Grams of CO2 equivalents and money of a run's tests, in words: what every report says alike."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from pytest_whq.footprint.footprint import Footprint, Quantities, footprint_of
from pytest_whq.model import Place, Record
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.words import one_line
from pytest_whq.units import format_grams, format_money

TITLES = ("of a query", "of a million queries", "of a million output tokens")
"""What the amounts of a row are of, in their order."""

_AMOUNTS: tuple[Callable[[Quantities], float | None], ...] = (
    lambda amounts: amounts.per_query,
    lambda amounts: amounts.per_million_queries,
    lambda amounts: amounts.per_million_output_tokens,
)


class FootprintRow(NamedTuple):
    """A test and its amounts in the order of `TITLES`; those that are not known are empty."""

    name: str
    amounts: tuple[str, ...]


def rows_at(place: Place, records: Sequence[Record]) -> list[FootprintRow]:
    """A row for each of ``records`` of which anything is known at ``place``."""
    names = short_names([record.test for record in records])
    rows = [
        FootprintRow(name, amounts_at(place, record)) for name, record in zip(names, records, strict=True)
    ]
    return [row for row in rows if any(row.amounts)]


def amounts_at(place: Place, record: Record) -> tuple[str, ...]:
    """What the energy of ``record`` amounts to at ``place``: each like ``0.582 g CO2e, 0.0372 JPY``."""
    found = footprint_of(record.measurement, place)
    return tuple(_phrase(found, place, amount) for amount in _AMOUNTS)


def _phrase(found: Footprint, place: Place, amount: Callable[[Quantities], float | None]) -> str:
    said = []
    if found.gco2e is not None and (mass_g := amount(found.gco2e)) is not None:
        said.append(f"{format_grams(mass_g)} CO2e")
    if found.cost is not None and place.price is not None and (cost := amount(found.cost)) is not None:
        said.append(format_money(cost, one_line(place.price.currency)))
    return ", ".join(said)


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int] = (0,)) -> str:
    """Columns aligned for a terminal, those numbered in ``left`` to the left."""
    align = ["left" if number in left else "right" for number in range(len(heads))]
    return "\n".join(aligned([heads, *rows], align))
