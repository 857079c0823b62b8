"""What failed is no part of a query's price: imported figures beside failed requests do not stand."""

import json
from pathlib import Path
from typing import Any

import pytest
from imported import SAMPLES, Import, api_row, written

from pytest_whq.cli import main
from pytest_whq.importing.figures.run_making import Importing, run_of
from pytest_whq.importing.result import Result, ToolEnergy
from pytest_whq.judging.max_failed import MaxFailed
from pytest_whq.model import Measurement
from pytest_whq.model.imported import Setup

LOG = ("--power", str(SAMPLES / "vllm_two_busy_power.csv"))


def made(max_failed: MaxFailed | None = None, **told: Any) -> Measurement:
    """The measurement of a result with measured energy, of which ``told`` is known."""
    result = Result(name="one", setup=Setup(), energy=ToolEnergy("power", "gpu", "log", 3600.0), **told)
    how = Importing("power", "tool", "2026-06-11T04:00:00Z", None)
    if max_failed is not None:
        how = Importing("power", "tool", "2026-06-11T04:00:00Z", None, None, max_failed)
    return run_of([result], how).records[0].measurement


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"completed": 1}, "59 of 60 queries failed"),
        ({"completed": 1, "failed": 0}, "59 of 60 queries failed"),
        ({"failed": 5}, "5 of 65 queries failed"),
        ({"failed": 1_000_000_000}, "1000000000 of 1000000060 queries failed"),
    ],
)
def test_a_result_that_tells_of_failed_requests_is_not_valid_and_says_so_as_a_test_does(
    change: dict[str, int], sentence: str, whq_import: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads((SAMPLES / "vllm_two_busy.json").read_text("utf-8")) | change
    run = whq_import("vllm-bench", written(Path("result.json"), told), *LOG)
    measurement = run.records[0].measurement
    assert not measurement.valid
    assert [(one.code, one.sentence) for one in measurement.reasons] == [("failed_queries", sentence)]
    assert measurement.why_unmeasured == sentence
    assert sentence in capsys.readouterr().out


def test_a_modelled_figure_beside_failed_requests_is_not_valid(whq_import: Import) -> None:
    row = api_row() | {"completed": 500, "failed": 500}
    del row["metrics"]["avg_power_w"]
    measurement = whq_import("inferencemax", written(Path("row.json"), [row])).records[0].measurement
    assert [one.code for one in measurement.reasons] == ["failed_queries", "modelled"]
    assert measurement.reasons[0].sentence == "500 of 1000 queries failed"


def test_failures_are_the_first_reason_where_no_query_is_left() -> None:
    assert [one.code for one in made(queries=0, failed_queries=3).reasons] == ["failed_queries", "no_queries"]


def test_nothing_is_said_where_none_failed_or_nobody_tells() -> None:
    assert made(queries=5, failed_queries=0).valid
    assert made(queries=5).valid


def test_so_many_may_fail_as_are_allowed_and_no_more() -> None:
    assert made(MaxFailed(share=0.05), queries=19, failed_queries=1).valid
    assert not made(MaxFailed(share=0.05), queries=18, failed_queries=2).valid
    # Of how many they are is not told, so that no share can be.
    unknown = made(MaxFailed(share=0.05), failed_queries=1)
    assert unknown.reasons[0].sentence == "1 of an unknown number of queries failed"


def test_max_failed_is_an_option_and_strict_minds_what_is_not_valid(
    whq_import: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads((SAMPLES / "vllm_two_busy.json").read_text("utf-8")) | {"completed": 59}
    result = written(Path("result.json"), told)
    assert main(["import", "vllm-bench", result, *LOG, "--strict"]) == 1
    assert capsys.readouterr().err == "whq: 1 of 1 figures are not valid (--strict)\n"
    run = whq_import("vllm-bench", result, *LOG, "--strict", "--max-failed", "2%")
    assert (run.records[0].measurement.valid, run.records[0].measurement.failed_queries) == (True, 1)
    assert main(["import", "vllm-bench", result, *LOG, "--max-failed", "many"]) == 2
    assert "--max-failed must be a count such as 3" in capsys.readouterr().err
