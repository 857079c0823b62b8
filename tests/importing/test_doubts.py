"""Each doubt is raised by the numbers that call for it, and by no others."""

import time
from pathlib import Path
from typing import Any

import pytest
from imported import MEASURED, SAMPLES, Import, api_row, notes, written

from pytest_whq.cli import main

GB200 = str(SAMPLES / "inferencemax_gb200.json")

DISAGGREGATED = {
    "hw": "gb200",
    "model": "m",
    "precision": "fp4",
    "isl": 1024,
    "osl": 1024,
    "disagg": True,
    "conc": 4,
    "num_prefill_gpu": 4,
    "num_decode_gpu": 8,
    "tput_per_gpu": 200.0,
    "input_tput_per_gpu": 300.0,
    "output_tput_per_gpu": 150.0,
}
"""A row whose throughput adds up: (4 x 300 + 8 x 150) / 12 = 200, input to output 1200 / 1200."""


def doubts_of(whq_import: Import, tmp_path: Path, row: dict[str, Any]) -> str:
    return notes(whq_import("inferencemax", written(tmp_path / "row.json", row)))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"tput_per_gpu": 250.0},
            "throughput does not add up: input of 4 prefill and output of 8 decode GPUs are 200 tokens/s",
        ),
        (
            {"output_tput_per_gpu": 75.0, "tput_per_gpu": 150.0},
            "input to output is 2.00 by throughput, but 1.00 by ISL/OSL 1024/1024",
        ),
        (
            {"prefill_tp": 4, "prefill_num_workers": 2},
            "GPU counts contradict the topology: 2 prefill workers of tp 4 are 8 GPUs, told are 4",
        ),
        (
            {"num_prefill_gpu": 12, "num_decode_gpu": 12},
            "12 prefill and 12 decode GPUs are told, but only 4.0 to 8.0, of 12 together, add up to it",
        ),
        (
            {"mean_intvty": 30.5, "std_intvty": 442.0},
            "std_intvty is 442 tokens/s around a mean of 30.5: it is 1 / std_tpot",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value.split(":")[0].replace(" ", "-"),
)
def test_numbers_that_contradict_each_other_are_doubted(
    changed: dict[str, Any], sentence: str, whq_import: Import, tmp_path: Path
) -> None:
    assert sentence not in doubts_of(whq_import, tmp_path, DISAGGREGATED)
    assert sentence in doubts_of(whq_import, tmp_path, DISAGGREGATED | changed)


@pytest.mark.parametrize(
    "sentence",
    [
        "disaggregated: input of 300 tokens/s is per each of 4 prefill GPUs, output of 150 per each of 8",
        "ISL/OSL 1024/1024 are nominal: random lengths average about 0.9 of them, 1843 tokens a query",
        "failed requests are not told",
        "output lengths are forced (ignore_eos)",
    ],
)
def test_what_every_such_row_leaves_open_is_said(sentence: str, whq_import: Import, tmp_path: Path) -> None:
    assert sentence in doubts_of(whq_import, tmp_path, DISAGGREGATED)


def test_failures_that_are_told_and_lengths_that_are_counted_raise_no_doubt(
    whq_import: Import, tmp_path: Path
) -> None:
    row = DISAGGREGATED | {"failed": 0, "scenario_type": "agentic", "mean_isl": 1000, "mean_osl": 1000}
    said = doubts_of(whq_import, tmp_path, row)
    assert "failed" not in said
    assert "nominal" not in said
    assert "ignore_eos" not in said


def test_power_at_the_idle_level_is_doubted_and_power_under_load_is_not(
    whq_import: Import, tmp_path: Path
) -> None:
    rows = [api_row(number) for number in range(len(MEASURED))]
    watts = 257.0
    rows.append(api_row(1, avg_power_w=watts, joules_per_total_token=watts / MEASURED[1][4]) | {"conc": 512})
    run = whq_import("inferencex", written(tmp_path / "api.json", rows))
    idle = [[note for note in record.measurement.notes if "idle" in note] for record in run.records]
    assert idle[:-1] == [[]] * 6
    assert idle[-1] == [
        "measured power of 257 W per GPU at concurrency 512 is near the idle level of a MI355X, about 240 W"
    ]


def test_power_above_the_board_s_limit_is_doubted(whq_import: Import, tmp_path: Path) -> None:
    row = api_row(0, avg_power_w=1500.0, joules_per_total_token=1500.0 / MEASURED[0][4])
    assert "1500 W per GPU is above the limit of a MI355X, 1400 W" in doubts_of(whq_import, tmp_path, row)


def test_a_figure_off_its_neighbours_line_is_doubted(whq_import: Import, tmp_path: Path) -> None:
    base = {"hw": "b200", "tp": 8, "model": "m", "isl": 1024, "osl": 1024}
    throughput = {4: 100.0, 8: 200.0, 16: 150.0, 32: 800.0, 64: 1600.0}
    rows = [base | {"conc": conc, "tput_per_gpu": tput} for conc, tput in throughput.items()]
    run = whq_import("inferencemax", written(tmp_path / "agg.json", rows))
    off = [
        one.test for one in run.records if any("neighbours' line" in note for note in one.measurement.notes)
    ]
    assert [test.rpartition("[")[2] for test in off] == ["conc=16]"]
    assert "8.23 Wh, 2.67 times the 3.09 Wh between concurrency 8 and 32 of the same sweep" in notes(run, 2)


@pytest.mark.once
def test_a_long_sweep_of_figures_that_are_all_off_is_judged_at_once(
    whq_import: Import, tmp_path: Path
) -> None:
    base = {"hw": "b200", "tp": 8, "model": "m", "isl": 1024, "osl": 1024}
    rows = [base | {"conc": 1000 + n, "tput_per_gpu": 100.0 if n % 2 else 400.0} for n in range(1600)]
    began_s = time.process_time()
    run = whq_import("inferencemax", written(tmp_path / "agg.json", rows))
    # Judging all steps again for each that goes took 10 s.
    assert time.process_time() - began_s < 5
    off = [one for one in run.records if any("neighbours' line" in note for note in one.measurement.notes)]
    # Once every other one is gone, those that are left are alike; which go at the ends is a tie's choice.
    assert 795 <= len(off) <= 805


def test_strict_makes_a_doubt_an_exit_of_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "inferencemax", GB200]) == 0
    assert capsys.readouterr().err == ""
    assert main(["import", "inferencemax", GB200, "--strict"]) == 1
    assert capsys.readouterr().err == "whq: 24 doubts about 4 of 4 figures (--strict)\n"
    sound = [str(SAMPLES / name) for name in ("vllm_all_busy.json", "vllm_all_busy_power.csv")]
    assert main(["import", "vllm-bench", sound[0], "--power", sound[1], "--strict"]) == 0
