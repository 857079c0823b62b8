import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import NOTHING, RIG, a_record, a_run

from pytest_whq.errors import RunFileError
from pytest_whq.model import Run
from pytest_whq.model.baseline import Baseline, accept
from pytest_whq.storing.baseline_file import (
    baseline_as_json,
    baseline_from_dict,
    read_baseline,
    update_baseline,
)

NO_BASELINE = (
    " is not a baseline of pytest-whq. Give one that pytest --whq-update-baseline or whq accept wrote."
)
RESTORE = "Restore it from version control, or delete it and accept runs anew."


def says(message: str) -> AbstractContextManager[object]:
    return pytest.raises(RunFileError, match=f"^{re.escape(message)}$")


def on_day(day: int, *tests: str) -> Run:
    return replace(a_run(*map(a_record, tests)), created=f"2026-11-{day:02}T08:00:00Z")


def test_the_file_has_a_block_for_each_run_and_a_line_for_each_test(tmp_path: Path) -> None:
    path = tmp_path / "whq-baseline.json"
    update_baseline(path, [on_day(2, "b", "a"), replace(on_day(1, "a"), commit=None)])
    entry = (
        '"method": "counter", "queries": 20, "input_tokens": 5120, "output_tokens": 2560, "energy_j": 884.0, '
        '"uncertainty_j": 4.1, "rounds": 1, "interval95": {"wh_per_query": [0.01205, 0.01251]}}'
    )
    rig = (
        '"rig": {"source": "nvml", "scope": "gpu", "driver": "580.95.05", "host": "host", '
        '"python": "3.13.1", "platform": "Linux", "devices": '
        '[{"id": "GPU-1", "name": "NVIDIA H200", "power_limit_w": 700.0, "role": null}]},'
    )
    assert (
        path.read_text()
        == f"""\
{{
 "format": 1,
 "runs": [
  {{
   "created": "2026-11-01T08:00:00Z",
   "tool": "pytest-whq 0.1.0",
   "commit": null,
   {rig}
   "records": [
    {{"test": "a", {entry}
   ]
  }},
  {{
   "created": "2026-11-02T08:00:00Z",
   "tool": "pytest-whq 0.1.0",
   "commit": {{"id": "c0ffee", "branch": "main", "dirty": false}},
   {rig}
   "records": [
    {{"test": "a", {entry},
    {{"test": "b", {entry}
   ]
  }}
 ]
}}
"""
    )


def test_accepting_a_run_adds_lines_and_changes_none(tmp_path: Path) -> None:
    path = tmp_path / "whq-baseline.json"
    update_baseline(path, [on_day(1, "a", "b")])
    before = path.read_text().splitlines()
    update_baseline(path, [on_day(2, "b", "c")])
    after = path.read_text().splitlines()
    # The comma behind the last run is all that a line can gain.
    assert [line for line in before if line not in after and f"{line}," not in after] == []
    assert after[: len(before) - 3] == before[:-3]


def test_what_is_written_is_read_back_the_same_in_whatever_order_it_came(tmp_path: Path) -> None:
    runs = [on_day(day, f"t{day % 3}", "t[\udcff\n😀\u2028]") for day in range(1, 8)]
    texts = set()
    for order in (runs, runs[::-1]):
        baseline = Baseline({})
        for run in order:
            baseline = accept(baseline, run).baseline
        texts.add(baseline_as_json(baseline))
    (text,) = texts
    assert baseline_as_json(baseline_from_dict(json.loads(text), "")) == text
    assert baseline_from_dict(json.loads(text), "") == baseline


def test_two_runs_of_one_second_stay_two(tmp_path: Path) -> None:
    path = tmp_path / "whq-baseline.json"
    twins = [replace(a_run(a_record("a", energy_j=energy_j))) for energy_j in (884.0, 885.0)]
    update_baseline(path, twins)
    assert [entry.energy_j for entry in read_baseline(path).of("a")] == [884.0, 885.0]
    assert len(json.loads(path.read_text())["runs"]) == 2


def test_where_nothing_is_accepted_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "whq-baseline.json"
    done = update_baseline(path, [a_run(NOTHING)])
    assert (done.accepted, list(done.left_out.values())) == ((), ["nvml: driver not loaded"])
    assert list(tmp_path.iterdir()) == []


def edited(change: Callable[[Any], object]) -> bytes:
    """A baseline of two runs, of which the document is changed."""
    baseline = accept(accept(Baseline({}), on_day(1, "a", "b")).baseline, on_day(2, "a", "b")).baseline
    document = json.loads(baseline_as_json(baseline))
    change(document)
    return json.dumps(document).encode()


def setting(value: object, *steps: str | int) -> bytes:
    def change(document: Any) -> None:
        for step in steps[:-1]:
            document = document[step]
        document[steps[-1]] = value

    return edited(change)


FIRST = ("runs", 0, "records", 0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", f" is not whole JSON (Expecting value: line 1 column 1 (char 0)). {RESTORE}"),
        (b"[]", NO_BASELINE),
        (b'{"format": 1, "records": []}', NO_BASELINE),
        (
            setting(2, "format"),
            (
                " is baseline format 2; this version of pytest-whq reads 1. "
                "Accept runs into a new one, or read it with the version that wrote it."
            ),
        ),
        (setting("x", "colour"), f": colour is not a field of this format. {RESTORE}"),
        (
            setting([], "runs", 1, "records"),
            f": runs[1].records is empty: a run without records is not kept. {RESTORE}",
        ),
        (setting("yesterday", "runs", 1, "created"), None),
        (setting({}, "runs", 1, "rig"), f": runs[1].rig.source is missing. {RESTORE}"),
        (
            setting("b", *FIRST, "test"),
            f': runs[0].records[1].test is "b", which another record has. {RESTORE}',
        ),
        (
            setting(float("nan"), *FIRST, "energy_j"),
            f": runs[0].records[0].energy_j is NaN, but must be a finite number from 0 up. {RESTORE}",
        ),
        (
            setting(-1.0, *FIRST, "energy_j"),
            f": runs[0].records[0].energy_j is -1.0, but must be a finite number from 0 up. {RESTORE}",
        ),
        (
            setting(1e300, *FIRST, "energy_j"),
            f": runs[0].records[0].energy_j is 1e+300, but must be a finite number from 0 up. {RESTORE}",
        ),
        (
            setting(0.0, *FIRST, "energy_j"),
            f": runs[0].records[0].energy_j is 0.0, but must be above 0. {RESTORE}",
        ),
        (setting(0, *FIRST, "queries"), f": runs[0].records[0].queries is 0, but must be above 0. {RESTORE}"),
        (setting({"wh_total": [1, 2]}, *FIRST, "interval95"), None),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_stays_untouched(
    tmp_path: Path, data: bytes, problem: str | None
) -> None:
    path = tmp_path / "whq-baseline.json"
    path.write_bytes(data)
    message = (
        re.escape(f"{path}{problem}") if problem else f"^{re.escape(str(path))}: .* {re.escape(RESTORE)}$"
    )
    for attempt in (lambda: read_baseline(path), lambda: update_baseline(path, [on_day(3, "a")])):
        with pytest.raises(RunFileError, match=f"^{message}$" if problem else message):
            attempt()
    assert path.read_bytes() == data


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "whq-baseline.json"
    whole = edited(lambda _: None)
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        with pytest.raises(RunFileError, match="is not whole JSON"):
            read_baseline(path)


def test_junk_of_a_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "whq-baseline.json"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    with says(
        f"{path} is longer than 64 MiB, the most that is read. Check the path, "
        "or record fewer tests in one run."
    ):
        update_baseline(path, [on_day(1, "a")])
    assert path.stat().st_size == 100 * 2**20


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "whq-baseline.json"
    with says(f"{path} cannot be written (No such file or directory). Check the path."):
        update_baseline(path, [on_day(1, "a")])


def test_processes_that_accept_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "whq-baseline.json"
    program = (
        "import sys; from pathlib import Path; from samples import a_record, a_run\n"
        "from pytest_whq.storing.baseline_file import update_baseline\n"
        "for n in range(8): update_baseline(Path(sys.argv[1]), [a_run(a_record(f'{sys.argv[2]}-{n}'))])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    writers = [
        subprocess.Popen([sys.executable, "-c", program, path, str(n)], env=environment) for n in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert sorted(read_baseline(path).tests) == [f"{writer}-{n}" for writer in range(3) for n in range(8)]
    assert [found.name for found in tmp_path.iterdir()] == ["whq-baseline.json"]


@pytest.mark.once
def test_ten_thousand_tests_with_ten_runs_each_are_read_within_five_seconds(tmp_path: Path) -> None:
    from time import process_time

    run = json.loads(edited(lambda _: None))["runs"][0]
    entry = run["records"][0]
    records = [{**entry, "test": f"tests/test_chat.py::test_some[{n}]"} for n in range(10_000)]
    runs = [{**run, "created": f"2026-11-{day:02}T08:00:00Z", "records": records} for day in range(1, 11)]
    path = tmp_path / "whq-baseline.json"
    path.write_text(json.dumps({"format": 1, "runs": runs}))
    started_s = process_time()
    baseline = read_baseline(path)
    assert process_time() - started_s < 5
    assert (len(baseline.tests), len(baseline.of("tests/test_chat.py::test_some[9]"))) == (10_000, 10)
    assert baseline.of("tests/test_chat.py::test_some[9]")[0].run.rig == RIG
