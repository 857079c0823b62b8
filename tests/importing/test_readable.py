"""What is written can be read: a figure that no run file can hold costs its own row alone."""

from pathlib import Path

import pytest
from imported import SAMPLES, Import, written

from pytest_whq.cli import main

WINDOW = ("--start", "2026-06-11T04:54:40Z", "--end", "2026-06-11T04:54:50Z", "--queries", "5")
LOG = str(SAMPLES / "vllm_two_busy_power.csv")


def test_a_result_whose_figures_give_what_cannot_be_is_left_out_and_the_others_come_out(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = {
        "model": "m",
        "num_concurrent_requests": 1,
        "results_num_completed_requests": 150,
        "results_num_completed_requests_per_min": 60.0,
        "results_number_output_tokens_mean": 150.0,
    }
    absurd = summary | {"num_concurrent_requests": 2, "results_number_output_tokens_mean": 1e15}
    run = whq_import("llmperf", written(tmp_path / "summaries.json", [absurd, summary]))
    assert [record.measurement.tokens.output_tokens for record in run.records] == [22_500]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "whq: m[conc=2] is left out, since what its figures give cannot be: its output_tokens"
    )
    assert line.endswith("but must be a whole number from 0 up")


def test_devices_of_what_is_left_out_are_none_of_the_run_s(whq_import: Import, tmp_path: Path) -> None:
    row = {"hw": "b200", "tp": 8, "model": "m", "isl": 1024, "osl": 1024, "conc": 4, "tput_per_gpu": 100.0}
    absurd = row | {"hw": "h100", "tput_per_gpu": 1e-15, "isl": 1e12}
    run = whq_import("inferencemax", written(tmp_path / "agg.json", [row, absurd]))
    assert [record.test for record in run.records] == ["m 8xB200 1k/1k[conc=4]"]
    assert [device.id for device in run.rig.devices] == ["B200"]


def test_where_nothing_is_left_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = {
        "results_num_completed_requests": 150,
        "results_num_completed_requests_per_min": 60.0,
        "results_number_output_tokens_mean": 1e15,
    }
    output = tmp_path / "run.json"
    assert main(["import", "llmperf", written(tmp_path / "summary.json", summary), "-o", str(output)]) == 2
    assert "No result of LLMPerf is left to import" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("value", ["-7", "999999999999999999999"])
@pytest.mark.parametrize("option", ["--input-tokens", "--output-tokens", "--gpus"])
def test_counts_that_no_run_file_can_hold_are_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "power", LOG, *WINDOW, f"{option}={value}"]) == 2
    said = capsys.readouterr().err
    assert f"{option} must be a whole number from {int(option == '--gpus')} up to 2^53, not {value}." in said
