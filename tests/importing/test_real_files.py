"""Real files of other projects, which are no part of this one: what the formulas give for them.

They are looked for in ``../shared/data`` beside the project, or where ``WHQ_REAL_FILES`` says.
"""

import json
import os
from pathlib import Path

import pytest
from imported import Import, notes

from pytest_whq.importing.power.log import read_log
from pytest_whq.joules.polled_power import polling_of

BESIDE = Path(__file__).parents[2].parent / "shared" / "data"
REAL = Path(os.environ.get("WHQ_REAL_FILES") or BESIDE)
VLLM = REAL / "vllm-bench"

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"{REAL} has no files of other projects: WHQ_REAL_FILES may name their folder"
)


def test_both_inferencemax_runs_come_out_whole(whq_import: Import) -> None:
    run = whq_import("inferencemax", str(REAL / "inferencemax/agg_bmk_20413316138.json"))
    (article,) = [
        one for one in run.records if "fp8" in one.test and "8k/1k" in one.test and "conc=2048" in one.test
    ]
    # 2100 W / 5599.45 tokens/s x 9216 tokens / 3600, and that at the 200 W of a PS5
    assert article.measurement.wh_per_query == pytest.approx(0.9601, abs=1e-4)
    assert f"{(article.measurement.wh_per_query or 0.0) / 200 * 60:.2f}" == "0.29"
    assert len(run.records) == 41
    run = whq_import("inferencemax", str(REAL / "inferencemax/agg_bmk_20218553330.json"))
    assert all(record.measurement.wh_per_query for record in run.records)
    assert len(run.records) == 150


def test_the_api_s_22_rows_come_out_whole(whq_import: Import) -> None:
    run = whq_import("inferencex", str(REAL / "inferencex-api/benchmarks-22-rows.json"))
    measured = [one.measurement.wh_per_query for one in run.records if one.measurement.method == "power"]
    assert [f"{value:.2f}" for value in measured] == ["1.80", "1.70", "1.03", "2.14", "2.20", "1.51"]
    assert sum(one.measurement.method == "modelled" for one in run.records) == 16
    assert sum("contradict the throughput" in notes(run, number) for number in range(22)) == 3


@pytest.mark.parametrize(
    ("folder", "devices", "wh_per_query"),
    [
        ("deepseek-r1_tp8_conc16", "all", 1.0650),
        ("gpt-oss-120b_tp2_conc64", "busy", 0.0763),
        ("gpt-oss-120b_tp2_conc64", "all", 0.1041),
    ],
)
def test_the_window_of_a_whole_log_is_the_benchmark_s(
    folder: str, devices: str, wh_per_query: float, whq_import: Import
) -> None:
    result, log = str(VLLM / folder / "result.json"), str(VLLM / folder / "gpu_metrics.csv")
    run = whq_import("vllm-bench", result, "--power", log, "--devices", devices)
    assert run.records[0].measurement.wh_per_query == pytest.approx(wh_per_query, rel=1e-3)


def test_the_whole_log_in_place_of_the_window_would_give_6_wh(whq_import: Import) -> None:
    log = str(VLLM / "deepseek-r1_tp8_conc16/gpu_metrics.csv")
    window = (
        "--start",
        "2026-06-11T04:10:29Z",
        "--end",
        "2026-06-11T04:57:30Z",
        "--queries",
        "160",
        "--utc-offset",
        "0",
    )
    run = whq_import("power", log, *window)
    assert run.records[0].measurement.wh_per_query == pytest.approx(6.0, abs=0.1)


def test_every_configuration_of_ml_energy_has_its_joules(whq_import: Import) -> None:
    files = sorted((REAL / "ml-energy").iterdir())
    run = whq_import("ml-energy", *map(str, files))
    told = [one for file in files for one in json.loads(file.read_text("utf-8"))["configurations"]]
    assert len(run.records) == len(told) == 98
    for record, row in zip(run.records, told, strict=True):
        joules = row.get("energy_per_request_joules", row.get("energy_per_image_joules"))
        assert record.measurement.wh_per_query == pytest.approx(joules / 3600)
    assert not any("contradict" in notes(run, number) for number in range(98))
    assert sum(one.measurement.imported.query == "image" for one in run.records) == 72  # type: ignore[union-attr]


def test_the_trace_s_groups_are_as_stated(whq_import: Import) -> None:
    trace = REAL / "nvml-trace"
    by = ("--by", "format", "--by", "physical_gpu", "--device-column", "physical_gpu")
    run = whq_import(
        "power", str(trace / "raw_nvml_50ms.csv"), "--requests", str(trace / "request_outcomes.csv"), *by
    )
    found = {record.test: 1000 * (record.measurement.wh_per_query or 0.0) for record in run.records}
    assert found == {
        "format=AWQ,physical_gpu=0": pytest.approx(73.80, rel=1e-3),
        "format=AWQ,physical_gpu=1": pytest.approx(71.28, rel=1e-3),
        "format=GPTQ,physical_gpu=0": pytest.approx(74.28, rel=1e-3),
        "format=GPTQ,physical_gpu=1": pytest.approx(72.59, rel=1e-3),
    }


def test_the_trace_s_boards_show_a_new_value_each_500_ms() -> None:
    for device in read_log(REAL / "nvml-trace/raw_nvml_50ms.csv").devices.values():
        polling = polling_of(device.times_s, device.powers_w)
        assert polling.step_s == pytest.approx(0.05, rel=0.01)
        assert polling.refresh_s == pytest.approx(0.5, rel=0.01)


def test_sglang_and_aiperf_come_out_whole(whq_import: Import) -> None:
    assert (
        len(whq_import("sglang-bench", str(REAL / "sglang-bench/llama_3_3_70b_online_output.jsonl")).records)
        == 7
    )
    run = whq_import("aiperf", str(REAL / "aiperf/qwen_concurrency1/profile_export_aiperf.json"))
    assert run.records[0].measurement.queries == 64
