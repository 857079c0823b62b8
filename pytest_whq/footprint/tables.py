"""The grids that are known by name: tables beside this file, each row with its year and source."""

from collections.abc import Iterator, Mapping
from csv import DictReader
from functools import cache
from importlib.resources import files

from pytest_whq.model.place import Grid

_GRID_TABLES = ("countries.csv", "gcp_regions.csv", "utilities.csv")


@cache
def grids() -> Mapping[str, Grid]:
    """Every name of a grid, casefolded -> the grid: ``jpn``, ``jp``, ``japan``, ``gcp:us-west1``."""
    known: dict[str, Grid] = {}
    for table in _GRID_TABLES:
        for row in rows_of(table):
            grid = Grid(
                name=row["name"],
                where=row["where"] or None,
                country=row["country"] or None,
                g_per_kwh=float(row["g_per_kwh"]),
                year=int(row["year"]),
                source=row["source"],
                basis=row["basis"],
            )
            known |= dict.fromkeys(_names(row), grid)
    return known


def _names(row: Mapping[str, str]) -> Iterator[str]:
    yield row["name"].casefold()
    if "also" in row:
        yield row["also"].casefold()
        yield row["where"].casefold()


def rows_of(table: str) -> Iterator[dict[str, str]]:
    """The rows of a table; what its comments say of all rows, such as ``# year: 2025``, is in each."""
    lines = (files("pytest_whq.footprint") / "data" / table).read_text("utf-8").splitlines()
    comments = [line[1:].partition(":") for line in lines if line.startswith("#")]
    of_all = {name.strip(): value.strip() for name, _, value in comments}
    for row in DictReader(line for line in lines if not line.startswith("#")):
        yield {**of_all, **row}
