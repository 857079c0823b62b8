"""The footprint of a run in the terminal: a table below that of the energy."""

from collections.abc import Iterator, Sequence

from pytest_whq.model import Place, Record
from pytest_whq.rendering.places.amounts import TITLES, rows_at, text_table
from pytest_whq.rendering.places.words import basis_sentences, place_phrase


def footprint_lines(place: Place | None, records: Sequence[Record]) -> Iterator[str]:
    """What ``records`` amount to at ``place``, and what the place is; nothing where none is known."""
    if place is None:
        return
    rows = rows_at(place, records)
    if rows:
        yield text_table(["footprint", *TITLES], [[row.name, *row.amounts] for row in rows])
    yield place_phrase(place)
    if place.grid is not None:
        yield from basis_sentences([place.grid])
