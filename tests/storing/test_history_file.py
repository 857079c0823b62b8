"""A run of a history as a file: small, read strictly, never over another."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import FULL, NOTHING, RIG, a_record, a_run

from pytest_whq.errors import RunFileError
from pytest_whq.model import Device
from pytest_whq.model.history import Kept, KeptRun, kept_of
from pytest_whq.storing import history_file
from pytest_whq.storing.any_file import read_history_of
from pytest_whq.storing.history_file import history_as_json, history_from_dict, write_history

RUN = kept_of(a_run(FULL, NOTHING))
TWO = Device("GPU-2", "NVIDIA H200", 700.0)


def read_history(path: Path) -> KeptRun:
    """The run of a history at ``path``; raises why it cannot be read."""
    runs, problems = read_history_of([path])
    for problem in problems:
        raise problem
    (run,) = runs
    return run


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = write_history(RUN, tmp_path / "new" / "folder")
    assert path.name == "20261123T080000Z-c0ffee.json"
    assert read_history(path) == RUN


def test_an_interval_that_is_wider_than_its_figure_reaches_below_0(tmp_path: Path) -> None:
    # As three rounds of 1, 30 and 1 J give it.
    run = kept_of(a_run(a_record(interval95={"wh_per_query": (-0.04, 0.06)})))
    assert run.rows[0].low_wh == -0.04
    assert read_history(write_history(run, tmp_path)) == run


def test_runs_of_the_same_second_are_files_of_their_own(tmp_path: Path) -> None:
    names = [write_history(RUN, tmp_path).name for _ in range(3)]
    assert names == [f"20261123T080000Z-c0ffee{end}.json" for end in ("", "-2", "-3")]


def test_a_run_that_another_session_writes_meanwhile_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[Path] = []

    def write(path: Path, text: str) -> None:
        if not paths:
            paths.append(path)
            paths.append(write_history(RUN, tmp_path))
        path.write_text(text, "utf-8")

    monkeypatch.setattr(history_file, "write_text", write)
    write_history(RUN, tmp_path)
    assert [path.name for path in paths] == ["20261123T080000Z-c0ffee.json", "20261123T080000Z-c0ffee-2.json"]
    assert [read_history(path) for path in paths] == [RUN, RUN]


def test_what_cannot_be_written_leaves_no_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, text: str) -> None:
        raise RunFileError("the disk is full")

    monkeypatch.setattr(history_file, "write_text", write)
    with pytest.raises(RunFileError, match="full"):
        write_history(RUN, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFileError, match=r"cannot be written \(.*\)\. Check the folder\."):
        write_history(RUN, tmp_path / "file")


def test_a_thousand_records_are_less_than_200_kb() -> None:
    records = [a_record(f"tests/energy/test_serving.py::test_case[{n}]") for n in range(1000)]
    assert len(history_as_json(kept_of(a_run(*records)))) < 200_000


def with_row(**values: Any) -> str:
    document = json.loads(history_as_json(RUN))
    for name, value in values.items():
        document["rows"][1][Kept._fields.index(name)] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"test": 3}, r"rows\[1\]\[0\] is 3, but must be a string"),
        ({"test": FULL.test}, r"rows\[1\]\[0\] is .*, which another row has"),
        ({"wh_per_query": -1}, r"rows\[1\]\[1\] is -1, but must be null or a finite number from 0 up"),
        ({"wh_per_query": float("nan")}, r"rows\[1\]\[1\] is NaN"),
        ({"low_wh": float("nan")}, r"rows\[1\]\[2\] is NaN, but must be null or a finite number"),
        ({"low_wh": -1e19}, r"rows\[1\]\[2\] is -1e\+19"),
        ({"wh_per_query": True}, r"rows\[1\]\[1\] is true"),
        ({"queries": 1.5}, r"rows\[1\]\[5\] is 1\.5, but must be null or a whole number from 0 up"),
        ({"method": "guess"}, r"rows\[1\]\[8\] is \"guess\", but must be null or one of counter"),
        ({"method": []}, r"rows\[1\]\[8\] is \[\]"),
        ({"devices": []}, r"rows\[1\]\[10\] is \[\], but must be null or a list of places"),
        ({"devices": [1]}, r"rows\[1\] names device 1 of 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, values: Any, problem: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(with_row(**values))
    with pytest.raises(RunFileError, match=rf"run\.json: {problem}.*Restore it from version control"):
        read_history(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": 2}, "history format 2; this version of pytest-whq reads 1"),
        ({"columns": ["test"]}, r"columns is \[\"test\"\], but must be"),
        ({"rows": [[]]}, r"rows\[0\] is \[\], but must be a list of 11 values"),
        ({"rows": {}}, "rows is {}, but must be a list"),
        ({"more": 1}, "more is not a field of this format"),
    ],
)
def test_a_wrong_document_is_refused(tmp_path: Path, change: Any, problem: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(history_as_json(RUN)) | change))
    with pytest.raises(RunFileError, match=problem):
        read_history(path)


def test_what_is_of_no_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"is not of a history\. Give one that pytest --whq-save"):
        history_from_dict([], str(tmp_path / "run.json"))


def test_devices_stand_by_their_places(tmp_path: Path) -> None:
    rig = replace(RIG, devices=(*RIG.devices, TWO))
    run = kept_of(a_run(a_record(), rig=rig))
    assert run.rows[0].devices == (0,)
    assert read_history(write_history(run, tmp_path)) == run
