"""The part of the page that tells what energy amounts to where it was drawn."""

from collections.abc import Sequence
from typing import NamedTuple

from pytest_whq.model import Place
from pytest_whq.rendering.places.amounts import TITLES
from pytest_whq.rendering.places.words import basis_sentences, place_phrase
from pytest_whq.rendering.rows import Row

_MOST_ROWS = 200


class FootprintPart(NamedTuple):
    """What its template shows: rows with their amounts, how many more there are, and what they stand on."""

    titles: Sequence[str]
    rows: Sequence[Row]
    left_out: int
    sentences: Sequence[str]


def footprint_part(place: Place | None, rows: Sequence[Row]) -> FootprintPart | None:
    """The part for ``rows`` at ``place``; None where no place is known."""
    if place is None:
        return None
    known = [row for row in rows if any(row.footprint)]
    basis = [] if place.grid is None else basis_sentences([place.grid])
    return FootprintPart(
        titles=TITLES,
        rows=known[:_MOST_ROWS],
        left_out=max(0, len(known) - _MOST_ROWS),
        sentences=[place_phrase(place), *basis],
    )
