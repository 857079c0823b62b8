"""Where a run was measured, for what follows from its energy there: the grid, the price, the overhead.

Each says of which year it is and who says so; ``source`` is ``as given`` where the user says no more.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """How much greenhouse gas a kWh stands for, in g of CO2 equivalents.

    ``name`` is that of its table, such as ``JPN`` or ``gcp:asia-northeast1``, None for a number that
    was given; ``where`` is its name for readers, ``country`` its ISO 3166 code of three letters.
    ``basis`` is ``location-based`` where the figure is the mix of the grid, else what it is.
    """

    name: str | None
    where: str | None
    country: str | None
    g_per_kwh: float
    year: int | None
    source: str
    basis: str


@dataclass(frozen=True, slots=True)
class Price:
    """What a kWh costs; ``currency`` is an ISO 4217 code."""

    per_kwh: float
    currency: str
    year: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Overhead:
    """Power usage effectiveness: a data centre's energy over that of its machines, at least 1."""

    pue: float
    year: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where a run was measured; what is not is None, and nothing is assumed for it."""

    grid: Grid | None = None
    price: Price | None = None
    overhead: Overhead | None = None
