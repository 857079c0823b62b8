"""A run at a place: a test of 1 Wh and 500 output tokens a query, and one that measured nothing."""

from dataclasses import replace

from samples import NOTHING, a_record, a_run

from pytest_whq.footprint.place import read_place
from pytest_whq.model import Grid, Place, Price, Run, TokenCount

A_WATT_HOUR = a_record(energy_j=36_000.0, queries=10, tokens=TokenCount(1000, 5000), interval95={})
RUN = a_run(A_WATT_HOUR, NOTHING)
SUMMARY = "1 measured, 1 not measured · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"
JAPAN = (
    "JPN (Japan) 485.392 g/kWh (Our World in Data, Ember, 2023), location-based · "
    "PUE 1.2 (as given, year not stated) · 31 JPY/kWh (contract, 2025)"
)
"""What is said of ``at("JPN", "31 JPY/kWh (contract, 2025)", "1.2")``."""

HOSTILE = "\x1b[31m<b>\u202e\n|"
HOSTILE_GRID = Grid(HOSTILE, HOSTILE, HOSTILE, 1.0, None, HOSTILE, HOSTILE)
HOSTILE_PLACE = Place(HOSTILE_GRID, Price(1.0, HOSTILE, None, HOSTILE))


def at(grid: str | None, price: str | None = None, pue: str | None = None) -> Run:
    """The run where these settings say."""
    return replace(RUN, place=read_place(grid, price, pue, str))
