"""Figures to set one's own beside, only where that is asked for: none of them is like for like."""

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_whq.footprint.tables import rows_of
from pytest_whq.units import minutes

PS5_W = 200.0
"""What a PlayStation 5 draws in a game."""

PS5_SOURCE = "A PlayStation 5 in a game, as muxup takes it (Per-query energy consumption of LLMs, 2026)."
"""Who says so."""


def ps5_minutes(energy_wh: float) -> float:
    """How long a PlayStation 5 plays on ``energy_wh`` watt-hours."""
    return minutes(energy_wh, PS5_W)


@dataclass(frozen=True, slots=True)
class Published:
    """What others published of a query, and what of the system that covers."""

    what: str
    wh_per_query: float
    scope: str
    year: int
    source: str


def published() -> Iterator[Published]:
    """The figures of ``published.csv``."""
    for row in rows_of("published.csv"):
        yield Published(
            row["what"], float(row["wh_per_query"]), row["scope"], int(row["year"]), row["source"]
        )
