import json
import os
import re
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from samples import EXAMPLE, FULL, H200, NOTHING, RIG, a_record, a_run

from pytest_whq.errors import RunFileError
from pytest_whq.model import BudgetVerdict, Round
from pytest_whq.storing.runfile import read_run, run_as_json, write_run


def says(message: str) -> AbstractContextManager[object]:
    return pytest.raises(RunFileError, match=f"^{re.escape(message)}$")


def test_the_example_of_the_design_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(EXAMPLE)
    run = read_run(path)
    (record,) = run.records
    assert record.measurement.wh_per_query == pytest.approx(0.0122778, rel=1e-5)
    assert record.measurement.rounds == (Round(177.1, 122.0, 1.24, 4, 1024, 512),)
    assert record.budgets == (BudgetVerdict("wh_per_query", 0.05, 0.01228, "within", "marker"),)
    assert run.rig.devices[0].name == "NVIDIA H100 80GB HBM3"


def test_a_run_file_has_the_fields_of_the_design_and_a_line_for_each_record() -> None:
    text = run_as_json(a_run(a_record("a"), a_record("b")))
    example = json.loads(EXAMPLE)
    assert list(json.loads(text)) == list(example)
    assert list(json.loads(text)["rig"]) == list(example["rig"])
    assert [line[:15] for line in text.splitlines()[-4:]] == ['  {"test": "a",', '  {"test": "b",', " ]", "}"]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    run = a_run(a_record(), FULL, NOTHING)
    write_run(run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == run


def test_a_run_without_records_and_commit_is_read_back(tmp_path: Path) -> None:
    run = replace(a_run(), commit=None)
    write_run(run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == run


def test_test_ids_with_any_character_are_read_back(tmp_path: Path) -> None:
    run = a_run(a_record("t.py::test[\udcff\n\x1b[31m😀\u2028]"))
    write_run(run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == run


def test_several_devices_keep_their_order(tmp_path: Path) -> None:
    rig = replace(
        RIG, devices=(replace(H200, id="b"), replace(H200, id="a", role="decode", power_limit_w=None))
    )
    write_run(a_run(rig=rig), tmp_path / "run.json")
    assert read_run(tmp_path / "run.json").rig == rig


def test_nothing_is_filled_in_from_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for field in json.loads(EXAMPLE)["rig"]:
        document = json.loads(EXAMPLE)
        del document["rig"][field]
        path.write_text(json.dumps(document))
        with says(f"{path}: rig.{field} is missing. Record the run again."):
            read_run(path)
    document = json.loads(EXAMPLE)
    del document["rig"]["devices"][0]["power_limit_w"]
    path.write_text(json.dumps(document))
    with says(f"{path}: rig.devices[0].power_limit_w is missing. Record the run again."):
        read_run(path)


@pytest.mark.parametrize(
    "created", ["2026-11-23 08:00:00", "2026-11-23T08:00:00+01:00", "2026-02-30T08:00:00Z", "now"]
)
def test_the_time_of_a_run_is_in_utc(tmp_path: Path, created: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(EXAMPLE.replace("2026-11-23T08:00:00Z", created))
    with says(
        f'{path}: created is "{created}", but must be a time in UTC such as 2026-11-23T08:00:00Z. '
        "Record the run again."
    ):
        read_run(path)


@pytest.mark.parametrize("found", ["2", "1.0", "true", "null", '"1"'])
def test_another_format_is_refused(tmp_path: Path, found: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(f'{{"format": {found}, "energy": 3}}')
    with says(
        f"{path} is run format {found}; this version of pytest-whq reads 1. "
        "Record the run again, or read it with the version that wrote it."
    ):
        read_run(path)


@pytest.mark.parametrize("text", ["[]", "3", "null", '{"benchmarks": []}'])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with says(f"{path} is not a run file of pytest-whq. Give one that pytest --whq-json wrote."):
        read_run(path)


def test_a_figure_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(RunFileError) as error:
        write_run(a_run(a_record(energy_j=float("nan"))), path)
    assert str(error.value).startswith(f"{path} is not written: a figure of the run is not finite (")
    assert os.listdir(tmp_path) == []
