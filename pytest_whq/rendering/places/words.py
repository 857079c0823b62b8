"""Where a run was measured, in words: every figure with its year and its source."""

from collections.abc import Iterable, Iterator

from pytest_whq.model import Grid, Overhead, Place, Price
from pytest_whq.rendering.words import one_line
from pytest_whq.units import format_as_given

LOCATION_BASED = (
    "Location-based: what the grid there emits for a kWh; certificates and contracts are not deducted."
)
"""How grams are counted, wherever they stand."""

SUPPLIERS_MIX = "A supplier's mix is that of what it sold, wherever that came from: it is not location-based."
"""What is said beside, or instead, where a grid's figure is another."""

NO_OVERHEAD = "no PUE given, so the data centre's overhead is not in it"


def grid_phrase(grid: Grid) -> str:
    """A grid: ``JPN (Japan) 485.392 g/kWh (Our World in Data, Ember, 2023), location-based``."""
    where = f" ({one_line(grid.where)})" if grid.where else ""
    name = f"{one_line(grid.name)}{where} " if grid.name else ""
    basis = "" if grid.name is None else f", {one_line(grid.basis)}"
    of = source_phrase(grid.source, grid.year)
    return f"{name}{format_as_given(grid.g_per_kwh)} g/kWh ({of}){basis}"


def basis_sentences(grids: Iterable[Grid]) -> Iterator[str]:
    """How the grams of these grids are counted."""
    bases = {grid.basis for grid in grids}
    if bases & {"location-based", "as given"}:
        yield LOCATION_BASED
    if bases - {"location-based", "as given"}:
        yield SUPPLIERS_MIX


def price_phrase(price: Price) -> str:
    """A price: ``31 JPY/kWh (contract, 2025)``."""
    of = source_phrase(price.source, price.year)
    return f"{format_as_given(price.per_kwh)} {one_line(price.currency)}/kWh ({of})"


def overhead_phrase(overhead: Overhead) -> str:
    """An overhead: ``PUE 1.2 (as given, year not stated)``."""
    return f"PUE {format_as_given(overhead.pue)} ({source_phrase(overhead.source, overhead.year)})"


def place_phrase(place: Place) -> str:
    """All that is known of a place, and that its overhead is not where it is not."""
    return " · ".join(_parts(place))


def _parts(place: Place) -> Iterator[str]:
    if place.grid is not None:
        yield grid_phrase(place.grid)
    yield NO_OVERHEAD if place.overhead is None else overhead_phrase(place.overhead)
    if place.price is not None:
        yield price_phrase(place.price)


def source_phrase(source: str, year: int | None) -> str:
    """Who says so, and of which year."""
    return f"{one_line(source)}, {'year not stated' if year is None else year}"
