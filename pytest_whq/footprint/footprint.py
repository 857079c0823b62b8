"""What measured energy amounts to where it was drawn: grams of CO2 equivalents and money."""

from dataclasses import dataclass

from pytest_whq.model import Measurement
from pytest_whq.model.place import Place
from pytest_whq.units import kwh, per_million, wh


@dataclass(frozen=True, slots=True)
class Quantities:
    """Grams or money, of a query and of a million output tokens; what is not known is None.

    All energy of the queries is told by their output tokens, that of reading their input, too.
    """

    per_query: float | None
    per_million_output_tokens: float | None

    @property
    def per_million_queries(self) -> float | None:
        """The same of a million queries."""
        return None if self.per_query is None else per_million(self.per_query)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Grams of CO2 equivalents and money of a measurement; None where the place has no grid, no price.

    Both are of the energy measured, times the overhead where one is known: without it, what the data
    centre needs beside is not in them. Modelled energy is told with all of it, so that no overhead is added.
    """

    gco2e: Quantities | None
    cost: Quantities | None


def footprint_of(measurement: Measurement, place: Place) -> Footprint:
    """The footprint of ``measurement`` at ``place``; figures that do not stand have none."""
    return Footprint(
        gco2e=None if place.grid is None else _amounts(measurement, place, place.grid.g_per_kwh),
        cost=None if place.price is None else _amounts(measurement, place, place.price.per_kwh),
    )


def _amounts(measurement: Measurement, place: Place, per_kwh: float) -> Quantities:
    of_query = standing(measurement, "wh_per_query")
    of_tokens_j = standing(measurement, "j_per_output_token")
    of_kwh = per_kwh * overhead_of(measurement, place)
    return Quantities(
        per_query=None if of_query is None else kwh(of_query) * of_kwh,
        per_million_output_tokens=None if of_tokens_j is None else per_million(kwh(wh(of_tokens_j)) * of_kwh),
    )


def overhead_of(measurement: Measurement, place: Place | None) -> float:
    """What energy is multiplied by for all that the data centre draws for it; at least 1."""
    # All-in watts, by which energy is modelled, have the hall in them.
    if place is None or place.overhead is None or measurement.has("modelled"):
        return 1.0
    return place.overhead.pue


def standing(measurement: Measurement, metric: str) -> float | None:
    """The value of a metric where it is valid, else None."""
    return measurement.metric(metric) if measurement.why_invalid(metric) is None else None
