"""What tools measured themselves is taken over as it is, and checked against what else they tell."""

import json
from pathlib import Path
from typing import Any

import pytest
from imported import SAMPLES, Import, notes, written


def test_ml_energy_s_text_tasks_cost_what_a_request_costs(whq_import: Import) -> None:
    run = whq_import("ml-energy", str(SAMPLES / "ml_energy_text.json"))
    # 500 J for 2000 tokens, 120 J for 2400
    for record, per_query_j, per_token_j in zip(run.records, (500, 120), (0.25, 0.05), strict=True):
        measurement = record.measurement
        assert measurement.wh_per_query == pytest.approx(per_query_j / 3600)
        assert measurement.j_per_output_token == pytest.approx(per_token_j)
        assert measurement.method == "counter"
        assert measurement.reasons == ()
    assert run.records[0].test == "lab/small-20b gpqa mxfp4 1xB200[seqs=8]"


def test_ml_energy_s_image_tasks_cost_what_an_image_costs(whq_import: Import) -> None:
    run = whq_import("ml-energy", str(SAMPLES / "ml_energy_image.json"), "--columns", "details,measured")
    measurement = run.records[0].measurement
    assert measurement.wh_per_query == pytest.approx(1.0)
    assert measurement.imported is not None
    assert measurement.imported.query == "image"
    assert measurement.j_per_output_token is None


def test_ml_energy_s_joules_that_contradict_each_other_are_doubted(
    whq_import: Import, tmp_path: Path
) -> None:
    told = json.loads((SAMPLES / "ml_energy_text.json").read_text())
    told["configurations"][0]["energy_per_token_joules"] = 0.5
    run = whq_import("ml-energy", written(tmp_path / "told.json", told))
    assert "joules contradict each other: 0.5 J/token x 2000.0 tokens are 1000 J, told are 500 J" in notes(
        run
    )


def test_a_gpu_under_two_endpoints_of_aiperf_counts_once(whq_import: Import) -> None:
    run = whq_import("aiperf", str(SAMPLES / "aiperf_0.3.json"))
    measurement = run.records[0].measurement
    assert measurement.energy_j == pytest.approx(25_000)
    assert (measurement.queries, measurement.tokens.output_tokens) == (64, 12800)
    assert len(measurement.devices) == 1
    said = notes(run)
    assert (
        "GPU-11111111-2222-3333-4444-555555555555 is told of by localhost:9402, too: it is counted once"
        in said
    )
    assert "the counter has moved by 25000 J, mean power x duration is 125 W x 250.0 s = 31250 J" in said
    assert "ignore_eos" in said


def test_aiperf_of_today_tells_what_its_counter_counted(whq_import: Import) -> None:
    run = whq_import("aiperf", str(SAMPLES / "aiperf_0.13.json"))
    told = json.loads((SAMPLES / "aiperf_0.13.json").read_text())
    measurement = run.records[0].measurement
    assert measurement.energy_j == pytest.approx(told["nvidia_total_gpu_energy"]["avg"])
    assert measurement.queries == 120
    # The GPU that it looked at draws 250 W.
    assert measurement.average_power_w == pytest.approx(250, rel=0.1)
    assert run.rig.devices[0].name == "H100"


TRTLLM: dict[str, Any] = {
    "engine": {
        "model": "meta-llama/Llama-3.1-8B-Instruct",
        "version": "1.3.0",
        "backend": "Pytorch",
        "dtype": "bfloat16",
    },
    "world_info": {"tp_size": 2, "pp_size": 1, "ep_size": 1, "world_size": 2},
    "request_info": {
        "num_requests": 1000,
        "avg_num_concurrent_requests": 511.7,
        "avg_input_length": 2048.0,
        "avg_output_length": 2048.0,
    },
    "performance": {
        "total_latency_ms": 100_000.0,
        "avg_request_latency_ms": 50_000.0,
        "total_energy_j": 140_000.0,
        "system_total_throughput_tok_s": 40_960.0,
        "system_output_throughput_tok_s": 20_480.0,
    },
    "streaming_metrics": {"avg_ttft_ms": 500.0, "avg_tpot_ms": 24.0},
}


def test_trtllm_bench_s_joules_are_those_of_all_requests(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("trtllm-bench", written(tmp_path / "report.json", TRTLLM))
    measurement = run.records[0].measurement
    assert measurement.wh_per_query == pytest.approx(140 / 3600)
    assert measurement.j_per_output_token == pytest.approx(140_000 / 2_048_000)
    assert measurement.average_power_w == pytest.approx(1400)


def test_trtllm_bench_without_its_monitor_has_no_energy(whq_import: Import, tmp_path: Path) -> None:
    report = TRTLLM | {"performance": {**TRTLLM["performance"], "total_energy_j": None}}
    run = whq_import("trtllm-bench", written(tmp_path / "report.json", report))
    assert (
        run.records[0].measurement.reasons[0].sentence
        == "the report has no energy: its energy monitor did not run"
    )


def energy(total_kwh: float) -> dict[str, Any]:
    return {
        "unit": "kWh",
        "cpu": 0.1 * total_kwh,
        "ram": 0.1 * total_kwh,
        "gpu": 0.8 * total_kwh,
        "total": total_kwh,
    }


OPTIMUM = {
    "config": {
        "name": "text_generation",
        "backend": {
            "name": "pytorch",
            "model": "openai/gpt-oss-20b",
            "torch_dtype": "bfloat16",
            "task": "text-generation",
        },
        "scenario": {
            "num_samples": 1000,
            "input_shapes": {"batch_size": 1},
            "generate_kwargs": {"max_new_tokens": 10},
        },
        "environment": {"gpu": ["NVIDIA H100 80GB HBM3"], "gpu_count": 1},
    },
    "report": {
        "load_model": {"energy": energy(9.0)},
        "preprocess": {"energy": energy(0.001)},
        "prefill": {"energy": energy(0.02), "efficiency": {"unit": "samples/kWh", "value": 50_000.0}},
        "decode": {"energy": energy(0.079), "efficiency": {"unit": "tokens/kWh", "value": 1e5}},
    },
}


def test_optimum_s_kwh_are_told_by_phase_and_part(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("optimum", written(tmp_path / "benchmark.json", OPTIMUM))
    measurement = run.records[0].measurement
    # 0.1 kWh / 1000 samples, and the 9 kWh of loading the model are not theirs
    assert measurement.wh_per_query == pytest.approx(0.1)
    assert {one.id: one.energy_j for one in measurement.devices} == {
        "cpu": pytest.approx(36_000),
        "ram": pytest.approx(36_000),
        "gpu": pytest.approx(288_000),
    }
    assert measurement.imported is not None
    assert [one.role for one in measurement.imported.roles] == ["preprocess", "prefill", "decode"]
    assert run.rig.scope == "gpu+cpu+ram"
    names = {device.id: device.name for device in run.rig.devices}
    assert (names["cpu"], names["ram"]) == ("CPU", "RAM")


def test_energy_of_0_j_is_none_that_was_measured(whq_import: Import, tmp_path: Path) -> None:
    report = OPTIMUM | {"report": {"prefill": {"energy": energy(0.0)}, "decode": {"energy": energy(0.0)}}}
    measurement = whq_import("optimum", written(tmp_path / "benchmark.json", report)).records[0].measurement
    (reason,) = measurement.reasons
    assert (reason.code, measurement.wh_per_query, measurement.valid) == ("no_source", None, False)
    assert reason.sentence == "the energy that it tells is 0 J: nothing was read"
