"""Tools that measure no energy: their counts and times are read, and --kw models what they leave open."""

import json
from pathlib import Path
from typing import Any

import pytest
from imported import SAMPLES, Import, notes, written

from pytest_whq.model import Measurement


def figures(measurement: Measurement) -> tuple[object, ...]:
    tokens = measurement.tokens
    return measurement.queries, measurement.failed_queries, tokens.input_tokens, tokens.output_tokens


def test_sglang_s_lines_are_results(whq_import: Import) -> None:
    run = whq_import("sglang-bench", str(SAMPLES / "sglang.jsonl"))
    assert [record.test for record in run.records] == [
        "sglang bench_serving[rate=1]",
        "sglang bench_serving[rate=8]",
    ]
    first = run.records[0].measurement
    assert figures(first) == (300, None, 150_000, 160_000)
    assert first.imported is not None
    assert first.imported.means.latency_s == pytest.approx(8.0)
    assert "failed requests are not told beside 300 that succeeded" in notes(run)


def test_sglang_writes_infinity_and_null(whq_import: Import, tmp_path: Path) -> None:
    line = (
        (SAMPLES / "sglang.jsonl")
        .read_text()
        .splitlines()[0]
        .replace('"request_rate": 1.0', '"request_rate": Infinity')
    )
    path = tmp_path / "lines.jsonl"
    path.write_text(f"{line}\n\n{line[:50]}\n")
    (record,) = whq_import("sglang-bench", str(path)).records
    assert record.test == "sglang bench_serving[rate=inf]"


def test_guidellm_s_benchmarks_each_have_their_window(whq_import: Import) -> None:
    run = whq_import("guidellm", str(SAMPLES / "guidellm.json"), "--kw", "0.7")
    assert [record.test for record in run.records] == ["tiny concurrent[conc=2]", "tiny concurrent[conc=4]"]
    told = json.loads((SAMPLES / "guidellm.json").read_text())["benchmarks"]
    for record, one in zip(run.records, told, strict=True):
        measurement = record.measurement
        assert figures(measurement)[:2] == (24, 0)
        assert measurement.tokens.output_tokens == 24 * 16
        # 700 W over the time of the benchmark
        assert measurement.wh_per_query == pytest.approx(700 * one["duration"] / 24 / 3600, rel=0.02)
        assert "how many GPUs" in "".join(measurement.notes)


def test_guidellm_before_0_4_tells_its_counts_elsewhere(whq_import: Import, tmp_path: Path) -> None:
    benchmark = {
        "args": {"strategy": {"type_": "concurrent", "streams": 8}},
        "run_stats": {"requests_made": {"successful": 40, "errored": 1, "incomplete": 2, "total": 43}},
        "worker": {"backend_model": "tiny"},
        "start_time": 1781153680.0,
        "end_time": 1781153700.0,
        "metrics": {"prompt_token_count": {"successful": {"mean": 100.0, "total_sum": 4000}}},
    }
    run = whq_import("guidellm", written(tmp_path / "benchmarks.json", {"benchmarks": [benchmark]}))
    (record,) = run.records
    assert record.test == "tiny concurrent[conc=8]"
    assert (record.measurement.queries, record.measurement.failed_queries) == (40, 3)


def test_energy_of_unknown_queries_says_that_they_are_not_told(whq_import: Import, tmp_path: Path) -> None:
    report = json.loads((SAMPLES / "guidellm.json").read_text())
    (one, *_) = report["benchmarks"]
    del one["metrics"]["request_totals"], one["scheduler_state"]
    one |= {"start_time": 1781153680.0, "end_time": 1781153700.0}
    log = SAMPLES / "vllm_all_busy_power.csv"
    run = whq_import("guidellm", written(tmp_path / "b.json", {"benchmarks": [one]}), "--power", str(log))
    (reason,) = run.records[0].measurement.reasons
    assert reason.sentence == "the result does not tell how many queries succeeded"


def test_guidellm_s_window_is_that_of_a_power_log(whq_import: Import, tmp_path: Path) -> None:
    told = json.loads((SAMPLES / "guidellm.json").read_text())["benchmarks"]
    start_s, end_s = told[0]["start_time"], told[-1]["end_time"]
    log = tmp_path / "log.csv"
    moments = [start_s - 1 + n / 10 for n in range(int((end_s - start_s + 2) * 10))]
    log.write_text("time,gpu,power_w\n" + "".join(f"{moment:.3f},0,360\n" for moment in moments))
    run = whq_import("guidellm", str(SAMPLES / "guidellm.json"), "--power", str(log))
    for record, one in zip(run.records, told, strict=True):
        assert record.measurement.energy_j == pytest.approx(360 * (one["end_time"] - one["start_time"]))


INFERENCE_PERF: dict[str, Any] = {
    "load_summary": {"count": 483, "requested_rate": 1.0, "achieved_rate": 1.02},
    "successes": {
        "count": 480,
        "latency": {
            "request_latency": {"mean": 3.31},
            "time_to_first_token": {"mean": 0.8},
            "time_per_output_token": {"mean": 0.02},
        },
        "throughput": {"requests_per_sec": 1.0, "total_tokens_per_sec": 660.0},
        "prompt_len": {"mean": 550.0},
        "output_len": {"mean": 110.0},
    },
    "failures": {"count": 3},
}


def test_inference_perf_s_summary_is_a_result(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("inference-perf", written(tmp_path / "summary.json", INFERENCE_PERF), "--kw", "0.66")
    measurement = run.records[0].measurement
    assert figures(measurement) == (480, 3, 264_000, 52_800)
    assert measurement.duration_s == pytest.approx(480)
    # 660 W / 660 tokens/s x 660 tokens
    assert measurement.wh_per_query == pytest.approx(660 / 3600)


LLMPERF = {
    "model": "meta-llama/Llama-2-7b-chat-hf",
    "num_concurrent_requests": 10,
    "results_num_completed_requests": 150,
    "results_num_completed_requests_per_min": 60.0,
    "results_number_errors": 2,
    "results_ttft_s_mean": 0.3,
    "results_number_input_tokens_mean": 550.0,
    "results_number_output_tokens_mean": 150.0,
    "results_inter_token_latency_s_mean": 0.02,
    "results_end_to_end_latency_s_mean": 3.3,
}


def test_llmperf_s_summary_is_a_result(whq_import: Import, tmp_path: Path) -> None:
    (record,) = whq_import("llmperf", written(tmp_path / "summary.json", LLMPERF)).records
    assert record.test == "meta-llama/Llama-2-7b-chat-hf[conc=10]"
    assert figures(record.measurement) == (150, 2, 82_500, 22_500)
    assert record.measurement.duration_s == pytest.approx(150)


LLAMA_BENCH = [
    {
        "build_commit": "c46583b",
        "gpu_info": "NVIDIA H100 80GB HBM3",
        "backends": "CUDA",
        "n_prompt": n_prompt,
        "model_filename": "models/qwen.gguf",
        "model_type": "qwen 0.8B Q4_K - Medium",
        "n_gen": n_gen,
        "avg_ts": 512.0,
        "avg_ns": 1_000_000_000,
        "samples_ns": [1_000_000_000] * 3,
        "test_time": "2026-03-01T08:00:00Z",
    }
    for n_prompt, n_gen in ((512, 0), (0, 128))
]


def test_llama_bench_s_repetitions_are_queries(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("llama-bench", written(tmp_path / "bench.json", LLAMA_BENCH), "--kw", "0.5")
    assert [record.test for record in run.records] == ["qwen.gguf pp512 tg0", "qwen.gguf pp0 tg128"]
    first, second = (record.measurement for record in run.records)
    assert figures(first) == (3, 0, 1536, 0)
    assert figures(second) == (3, 0, 0, 384)
    assert first.wh_per_query == pytest.approx(500 / 3600)
    assert run.rig.devices[0].name == "H100"
