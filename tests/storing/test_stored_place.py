"""Where a run was measured, in its file: there where the user says so, and read as strictly as the rest."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import a_record, a_run

from pytest_whq.errors import RunFileError
from pytest_whq.footprint.place import read_place
from pytest_whq.storing.journal import Journal, read_last_session
from pytest_whq.storing.runfile import read_run, run_as_json, run_from_dict, write_run

RUN = replace(
    a_run(a_record()), place=read_place("JPN", "31 JPY/kWh (contract, 2025)", "1.2", lambda name: name)
)


def stored() -> Any:
    return json.loads(run_as_json(RUN))


def test_the_place_is_stored_with_its_figures_years_and_sources(tmp_path: Path) -> None:
    write_run(RUN, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == RUN
    assert stored()["place"] == {
        "grid": {
            "name": "JPN",
            "where": "Japan",
            "country": "JPN",
            "g_per_kwh": 485.392,
            "year": 2023,
            "source": "Our World in Data, Ember",
            "basis": "location-based",
        },
        "price": {"per_kwh": 31.0, "currency": "JPY", "year": 2025, "source": "contract"},
        "overhead": {"pue": 1.2, "year": None, "source": "as given"},
    }


def test_a_run_of_nowhere_has_no_place() -> None:
    assert "place" not in json.loads(run_as_json(replace(RUN, place=None)))


def test_the_journal_keeps_the_place(tmp_path: Path) -> None:
    Journal.start(tmp_path, replace(RUN, records=())).finish()
    assert read_last_session(tmp_path).run.place == RUN.place


@pytest.mark.parametrize(
    ("part", "field", "value", "problem"),
    [
        ("overhead", "pue", 0.5, "is 0.5, but must be at least 1"),
        ("overhead", "pue", "1.2", 'is "1.2", but must be a finite number from 0 up'),
        ("grid", "g_per_kwh", -1, "is -1, but must be a finite number from 0 up"),
        ("grid", "year", "2023", 'is "2023", but must be a whole number from 0 up'),
        ("price", "currency", None, "is null, but must be a string"),
        ("price", "currency", "|<b>", 'is "|<b>", but must be a code of ISO 4217 such as JPY'),
        ("price", "vat", 0.1, "is not a field of this format"),
    ],
)
def test_a_place_that_cannot_be_is_refused(part: str, field: str, value: Any, problem: str) -> None:
    data = stored()
    data["place"][part][field] = value
    with pytest.raises(RunFileError) as error:
        run_from_dict(data, "run.json")
    assert str(error.value) == f"run.json: place.{part}.{field} {problem}. Record the run again."
